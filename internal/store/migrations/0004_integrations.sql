CREATE TABLE call_router (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL) STRICT;
CREATE TABLE webhook (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL) STRICT;
CREATE TABLE subscription (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL) STRICT;
CREATE TABLE custom_prompt (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL) STRICT;

-- A call's legs as the API lists them: place 0 is the caller's, with the call's own id; the others are offers.
CREATE TABLE call_leg (
    id INTEGER PRIMARY KEY, call INTEGER NOT NULL, place INTEGER NOT NULL, started INTEGER NOT NULL,
    target_type TEXT NOT NULL, target_id INTEGER NOT NULL
) STRICT;
CREATE INDEX call_leg_started ON call_leg (started, id);
CREATE INDEX call_leg_target ON call_leg (target_type, target_id, started, id);
-- Calls of before have no legs of operators here: their ids need more than SQL to compute.
INSERT INTO call_leg SELECT id, id, 0,
    CAST((julianday(json_extract(doc, '$.Arrived')) - 2440587.5) * 86400000 AS INTEGER) * 1000000,
    'callcenter', coalesce(json_extract(doc, '$.Center'), 0) FROM call;
CREATE TABLE call_note (call INTEGER PRIMARY KEY, labels TEXT NOT NULL, custom_data TEXT NOT NULL) STRICT;

-- Events on their way to webhooks. due: the next attempt; dead: given up, kept for people to see.
CREATE TABLE delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT, webhook INTEGER NOT NULL, lane INTEGER NOT NULL, event TEXT NOT NULL,
    body TEXT NOT NULL, created INTEGER NOT NULL, due INTEGER NOT NULL, attempts INTEGER NOT NULL, error TEXT NOT NULL,
    dead INTEGER NOT NULL
) STRICT;
CREATE INDEX delivery_dead ON delivery (dead, id);
CREATE INDEX delivery_webhook ON delivery (webhook);
