-- What was said on calls, masked. at: the beginning of the conversation; times of lines and moments are from there, in
-- nanoseconds. complete: 0 while it goes on. doc: the summary.
CREATE TABLE transcript (
    call INTEGER PRIMARY KEY, center INTEGER NOT NULL, operator INTEGER NOT NULL, number TEXT NOT NULL,
    direction TEXT NOT NULL, at INTEGER NOT NULL, engine TEXT NOT NULL, dropped INTEGER NOT NULL,
    complete INTEGER NOT NULL, doc TEXT NOT NULL
) STRICT;
CREATE INDEX transcript_center ON transcript (center, at);
CREATE INDEX transcript_number ON transcript (number);
CREATE TABLE transcript_line (
    seq INTEGER PRIMARY KEY, call INTEGER NOT NULL, start INTEGER NOT NULL, text TEXT NOT NULL, doc TEXT NOT NULL
) STRICT;
CREATE INDEX transcript_line_call ON transcript_line (call, start);
CREATE VIRTUAL TABLE transcript_search USING fts5(
    text, content='transcript_line', content_rowid='seq', tokenize='porter unicode61'
);
-- Without it, words that were erased stay in the index's segments until it happens to merge them.
INSERT INTO transcript_search (transcript_search, rank) VALUES ('secure-delete', 1);
CREATE TRIGGER transcript_line_added AFTER INSERT ON transcript_line BEGIN
    INSERT INTO transcript_search (rowid, text) VALUES (new.seq, new.text);
END;
CREATE TRIGGER transcript_line_removed AFTER DELETE ON transcript_line BEGIN
    INSERT INTO transcript_search (transcript_search, rowid, text) VALUES ('delete', old.seq, old.text);
END;
CREATE TABLE moment (
    seq INTEGER PRIMARY KEY, call INTEGER NOT NULL, at INTEGER NOT NULL, class TEXT NOT NULL, doc TEXT NOT NULL
) STRICT;
CREATE INDEX moment_call ON moment (call, at);
-- Kept when the transcript is gone: who read it is still a question then.
CREATE TABLE transcript_access (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, call INTEGER NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL
) STRICT;
CREATE INDEX transcript_access_call ON transcript_access (call, seq);
-- What a call center wants to hear of. doc: phrases, and whether the mood is estimated.
CREATE TABLE speech_setting (center INTEGER PRIMARY KEY, doc TEXT NOT NULL) STRICT;
CREATE INDEX recording_number ON recording (number);
CREATE INDEX voicemail_caller ON voicemail (caller);
