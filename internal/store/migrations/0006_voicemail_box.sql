-- Whose box a message is in; 0: the call center's.
ALTER TABLE voicemail ADD COLUMN operator INTEGER NOT NULL DEFAULT 0;
