-- Who heard a voicemail without being a person of the company to us: a page, a key of the company. Kept when it is gone.
CREATE TABLE voicemail_access (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, voicemail INTEGER NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL
) STRICT;
CREATE INDEX voicemail_access_voicemail ON voicemail_access (voicemail, seq);
