-- What conversations came to, one a call; durations in nanoseconds. doc: all of it, with the turns. complete: 0 while it
-- goes on.
CREATE TABLE conversation (
    call INTEGER PRIMARY KEY, center INTEGER NOT NULL, operator INTEGER NOT NULL, number TEXT NOT NULL,
    direction TEXT NOT NULL, at INTEGER NOT NULL, complete INTEGER NOT NULL, measured INTEGER NOT NULL,
    talk_customer INTEGER NOT NULL, talk_operator INTEGER NOT NULL, turns_customer INTEGER NOT NULL,
    turns_operator INTEGER NOT NULL, monologue_customer INTEGER NOT NULL, monologue_operator INTEGER NOT NULL,
    overlap INTEGER NOT NULL, interruptions INTEGER NOT NULL, silence INTEGER NOT NULL, dead_air INTEGER NOT NULL,
    dead_airs INTEGER NOT NULL, longest_dead INTEGER NOT NULL, responses INTEGER NOT NULL,
    response_total INTEGER NOT NULL, longest_response INTEGER NOT NULL, doc TEXT NOT NULL
) STRICT;
CREATE INDEX conversation_center ON conversation (center, at);
CREATE INDEX conversation_operator ON conversation (operator, at);
CREATE INDEX conversation_number ON conversation (number);
