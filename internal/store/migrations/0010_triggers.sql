-- What starts workflows: event handlers, schedules and incoming webhooks, by their owner's JSON.
CREATE TABLE trigger_def (
    kind TEXT NOT NULL, name TEXT NOT NULL, doc TEXT NOT NULL, PRIMARY KEY (kind, name)
) WITHOUT ROWID, STRICT;

-- Events that somebody waits for. num: their order. done: what they cause was done.
CREATE TABLE trigger_event (
    num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, at INTEGER NOT NULL, done INTEGER NOT NULL,
    payload TEXT NOT NULL
) STRICT;
CREATE INDEX trigger_event_open ON trigger_event (num) WHERE done = 0;

-- What was caused: one row for each action of a handler on an event, each time of a schedule, each webhook's request.
CREATE TABLE trigger_shot (
    num INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, cause TEXT NOT NULL, action INTEGER NOT NULL,
    at INTEGER NOT NULL, due INTEGER NOT NULL, state TEXT NOT NULL, workflow TEXT NOT NULL, run TEXT NOT NULL,
    reason TEXT NOT NULL, UNIQUE (kind, name, cause, action)
) STRICT;
