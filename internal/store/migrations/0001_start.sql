-- Settings: one table per kind. doc is the record as JSON; the other columns are what SQL must order by or keep unique.
CREATE TABLE company (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL);
CREATE TABLE office (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL);
CREATE TABLE callcenter (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL);
CREATE TABLE user (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL);
CREATE TABLE user_email (email TEXT PRIMARY KEY, user INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX user_email_user ON user_email (user);
CREATE TABLE device (
    id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL, username TEXT UNIQUE
);
CREATE TABLE number (e164 TEXT PRIMARY KEY, seq INTEGER NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL);
CREATE TABLE trunk (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL);
CREATE TABLE api_key (id TEXT PRIMARY KEY, seq INTEGER NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL);

-- AUTOINCREMENT, because seq also orders every listing: a number once given must never come back.
CREATE TABLE history (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, by TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
    before TEXT, after TEXT
);
CREATE INDEX history_record ON history (kind, id, seq);

-- Times are nanoseconds since 1970, UTC; 0 is none.
CREATE TABLE journal (step INTEGER PRIMARY KEY, at INTEGER NOT NULL, event TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE call (id INTEGER PRIMARY KEY, ended INTEGER NOT NULL, doc TEXT NOT NULL);
CREATE INDEX call_ended ON call (ended, id);
CREATE TABLE voicemail (
    id INTEGER PRIMARY KEY, call INTEGER NOT NULL, center INTEGER NOT NULL, caller TEXT NOT NULL, at INTEGER NOT NULL,
    duration INTEGER NOT NULL, reason TEXT NOT NULL, path TEXT NOT NULL, complete INTEGER NOT NULL
);
CREATE INDEX voicemail_at ON voicemail (at, id);
CREATE TABLE voicemail_listener (
    voicemail INTEGER NOT NULL, operator INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (voicemail, operator)
) WITHOUT ROWID;
CREATE TABLE session (hash BLOB PRIMARY KEY, created INTEGER NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE link (hash BLOB PRIMARY KEY, expires INTEGER NOT NULL) WITHOUT ROWID;
