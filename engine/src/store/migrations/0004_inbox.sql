-- What systems have told by webhooks, and at which addresses they do.

-- A line for each flow that a delivery starts. It is answered by the run that has done what it
-- asks for, and kept for a while after that, so that the same delivery is known again.
CREATE TABLE inbox (
    flow        TEXT   NOT NULL,            -- flow that it starts
    connection  TEXT   NOT NULL,            -- connection whose system delivered it
    delivery    TEXT   NOT NULL,            -- tells it from other deliveries of the connection
    event       TEXT   NOT NULL,            -- what happened
    resource    TEXT,                       -- kind of the record that it is about, where that is one of the source
    source_key  TEXT,                       -- its key in the source
    received_at BIGINT NOT NULL,            -- when it came
    run_id      TEXT,                       -- run that took it up last
    answered_at BIGINT,                     -- when a run was done with it
    PRIMARY KEY (flow, connection, delivery)
);
CREATE INDEX inbox_open ON inbox (flow, received_at) WHERE answered_at IS NULL;
CREATE INDEX inbox_answered ON inbox (answered_at);
CREATE INDEX inbox_record ON inbox (flow, source_key);

-- Addresses that were given to systems. What is secret of one is kept as a digest only.
CREATE TABLE hook (
    connection  TEXT   NOT NULL PRIMARY KEY, -- connection whose system delivers there
    token       BLOB   NOT NULL,             -- SHA-256 of the part that nobody can guess
    made_at     BIGINT NOT NULL              -- when
);

-- What people have been told by alerts, one line for each cause that holds.
CREATE TABLE alert (
    cause       TEXT   NOT NULL PRIMARY KEY, -- what is wrong, and with what
    since       BIGINT NOT NULL,             -- when it was first seen
    told        BIGINT NOT NULL,             -- messages so far; 0: it may pass by itself
    told_at     BIGINT NOT NULL              -- when the last one went out; before the first: as since
);
