-- The order in which voicemails became complete, from 1; 0 while one is being recorded.
ALTER TABLE voicemail ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;
UPDATE voicemail SET seq = (
    SELECT count(*) FROM voicemail AS other
    WHERE other.complete = 1 AND (other.at, other.id) <= (voicemail.at, voicemail.id)
) WHERE complete = 1;
CREATE INDEX voicemail_seq ON voicemail (seq);
