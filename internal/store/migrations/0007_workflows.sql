-- Workflow programs as registered, and what holds for tasks of a name.
CREATE TABLE wf_def (
    name TEXT NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL, PRIMARY KEY (name, version)
) WITHOUT ROWID, STRICT;
CREATE TABLE task_def (name TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID, STRICT;

-- A definition with its task definitions as runs took it at their start, once for all of them.
CREATE TABLE wf_snapshot (hash BLOB PRIMARY KEY, at INTEGER NOT NULL, doc TEXT NOT NULL) STRICT;

-- Runs. num: the order in which they were made. due: when time alone moves it on, 0: never. parked: it waits for
-- nothing but time and people. gate: the key of its definition's limit of runs under way.
CREATE TABLE wf (
    num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL,
    correlation TEXT NOT NULL, idempotency TEXT NOT NULL, parent TEXT NOT NULL, gate TEXT NOT NULL,
    created INTEGER NOT NULL, updated INTEGER NOT NULL, ended INTEGER NOT NULL, due INTEGER NOT NULL,
    parked INTEGER NOT NULL, trimmed INTEGER NOT NULL DEFAULT 0, snapshot BLOB NOT NULL, doc TEXT NOT NULL
) STRICT;
CREATE INDEX wf_live ON wf (num) WHERE ended = 0;
CREATE INDEX wf_gated ON wf (num) WHERE ended = 0 AND gate <> '';
CREATE INDEX wf_ended ON wf (ended) WHERE ended > 0;
CREATE INDEX wf_untrimmed ON wf (ended) WHERE ended > 0 AND trimmed = 0;
CREATE INDEX wf_name ON wf (name, num);
CREATE INDEX wf_correlation ON wf (correlation, num) WHERE correlation <> '';
CREATE INDEX wf_idempotency ON wf (name, idempotency, num) WHERE idempotency <> '';
CREATE INDEX wf_parent ON wf (parent) WHERE parent <> '';

-- Attempts at tasks. row is num of the run * 2^20 + seq, so that those of a run lie together, in order.
CREATE TABLE wf_task (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, ref TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL,
    status TEXT NOT NULL, scheduled INTEGER NOT NULL, updated INTEGER NOT NULL, doc TEXT NOT NULL
) STRICT;
CREATE INDEX wf_task_open ON wf_task (name, row) WHERE status IN ('SCHEDULED', 'IN_PROGRESS');
CREATE TABLE wf_log (run INTEGER NOT NULL, task TEXT NOT NULL, at INTEGER NOT NULL, text TEXT NOT NULL) STRICT;
CREATE INDEX wf_log_run ON wf_log (run, task);
