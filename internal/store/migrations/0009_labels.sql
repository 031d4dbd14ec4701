-- Tags of definitions, schedules, event handlers, secrets: only for people to sort by.
CREATE TABLE tag (
    kind TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, name, key, value)
) WITHOUT ROWID, STRICT;
-- What workflows see as ${workflow.env.NAME}. doc: JSON.
CREATE TABLE environment (name TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID, STRICT;
