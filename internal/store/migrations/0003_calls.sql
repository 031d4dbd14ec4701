-- What a call center can be told beyond the sixteen settings gets its defaults.
UPDATE callcenter SET doc = json_set(doc, '$.Extras', json('{"MaxMissedCalls":1,"ShortAbandonSeconds":5,'
    || '"AlertMinCalls":10,"AnnounceCenterName":false,"WrapUpExtensionSeconds":0,"RecordingRetentionDays":0}'));

CREATE TABLE recording (
    id INTEGER PRIMARY KEY, call INTEGER NOT NULL, center INTEGER NOT NULL, operator INTEGER NOT NULL,
    number TEXT NOT NULL, direction TEXT NOT NULL, at INTEGER NOT NULL, duration INTEGER NOT NULL, path TEXT NOT NULL,
    complete INTEGER NOT NULL
) STRICT;
CREATE INDEX recording_at ON recording (at, id);
CREATE INDEX recording_call ON recording (call);
-- Kept when the recording is removed: who heard it is still a question then.
CREATE TABLE recording_access (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, recording INTEGER NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL
) STRICT;
CREATE INDEX recording_access_recording ON recording_access (recording, seq);

-- What must go on after a crash: promised callbacks, places in lines, dialogs whose other end still believes in them.
CREATE TABLE callback (id INTEGER PRIMARY KEY, asked INTEGER NOT NULL, doc TEXT NOT NULL) STRICT;
CREATE TABLE place (id INTEGER PRIMARY KEY, doc TEXT NOT NULL) STRICT;
CREATE TABLE dialog (id TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID, STRICT;
