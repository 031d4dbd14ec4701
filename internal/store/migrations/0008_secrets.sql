-- Secrets of workflows. sealed: encrypted; nothing here opens it. hosts: where it may be sent, as a JSON list; empty:
-- anywhere.
CREATE TABLE secret (
    name TEXT PRIMARY KEY, hosts TEXT NOT NULL, sealed BLOB NOT NULL, created INTEGER NOT NULL,
    updated INTEGER NOT NULL, used INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
