-- What daemons know of each other, and of themselves after a start: when flows were due and ran,
-- which connections are left alone, and who is there.

-- When each flow was due and ran under a daemon.
CREATE TABLE turn (
    flow       TEXT   NOT NULL PRIMARY KEY, -- the flow
    anchor     BIGINT NOT NULL,             -- moment from which `every` counts
    due_at     BIGINT NOT NULL,             -- up to here every due moment is accounted for
    started_at BIGINT,                      -- when its last run started
    ended_at   BIGINT,                      -- when that ended; NULL: it is under way, or its process died
    next_at    BIGINT,                      -- when it is due next; NULL: never by itself
    failures   BIGINT NOT NULL,             -- runs in a row that could not go on
    wait_until BIGINT,                      -- it is left alone until then
    reason     TEXT                         -- why
);

-- Connections that did not answer well.
CREATE TABLE connection_state (
    connection TEXT   NOT NULL PRIMARY KEY, -- connection of the project
    failures   BIGINT NOT NULL,             -- runs in a row that it broke off
    open_until BIGINT,                      -- it is left alone until then
    reconnect  BIGINT NOT NULL,             -- 1: somebody has to sign in again
    reason     TEXT,                        -- what its system said last
    updated_at BIGINT NOT NULL              -- when this was written
);

-- Daemons that are there.
CREATE TABLE daemon (
    holder     TEXT   NOT NULL PRIMARY KEY, -- its process
    started_at BIGINT NOT NULL,             -- when it started
    seen_at    BIGINT NOT NULL,             -- when it last said that it is there
    trouble    TEXT                         -- what keeps it from its work, or from changed files
);
