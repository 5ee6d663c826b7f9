-- The first schema. One text for SQLite and PostgreSQL: the runner puts BYTEA where BLOB stands,
-- and what keeps small rows in the order of their key where `keyed` stands in braces.
--
-- Moments are milliseconds since 1970 (UTC) on the database's own clock. A `print` is a
-- fingerprint of 16 bytes. There are no foreign keys: every row is reached by flow and source
-- key, and `forget` removes by them.

-- Who may run a flow. A row is never removed, so that its epoch only grows.
CREATE TABLE lease (
    flow       TEXT   NOT NULL PRIMARY KEY, -- the flow
    epoch      BIGINT NOT NULL,             -- grows by one with every claim; fences late commits
    holder     TEXT   NOT NULL,             -- process that holds it; empty: released
    expires_at BIGINT NOT NULL              -- from then on anybody may claim it
);

-- How far a flow has read its source.
CREATE TABLE cursor (
    flow       TEXT   NOT NULL PRIMARY KEY, -- the flow
    since      TEXT,                        -- marker as JSON from which the next pass reads
    high       TEXT,                        -- highest marker seen in the pass under way
    position   TEXT,                        -- the source's own text for the next page; NULL: a pass begins
    plan_print BLOB,                        -- the plan that the pass was begun with
    updated_at BIGINT NOT NULL              -- when it last moved
);

-- What became of each record the last time it was seen.
CREATE TABLE ledger (
    flow         TEXT   NOT NULL,           -- the flow
    source_key   TEXT   NOT NULL,           -- key of the record in the source
    source_print BLOB   NOT NULL,           -- the record as it was read
    plan_print   BLOB   NOT NULL,           -- the plan that handled it
    outcome      TEXT   NOT NULL,           -- created, updated, unchanged, skipped, failed, waiting
    reason       TEXT,                      -- why it was skipped, failed or waits
    attempts     BIGINT NOT NULL,           -- times in a row that it failed or had to wait; 0 after anything else
    run_id       TEXT   NOT NULL,           -- run that handled it
    updated_at   BIGINT NOT NULL,           -- when
    PRIMARY KEY (flow, source_key)
) {keyed};

-- What was last sent to the target for a record: one row for each write of the flow, and for
-- each item where the write stands inside `each`.
CREATE TABLE written (
    flow       TEXT   NOT NULL,             -- the flow
    source_key TEXT   NOT NULL,             -- key of the record in the source
    write_id   TEXT   NOT NULL,             -- stable name of the write: `create orders`
    item       TEXT   NOT NULL,             -- which item of `each`; empty outside
    target_key TEXT   NOT NULL,             -- key of what was written in the target
    sent_print BLOB   NOT NULL,             -- what was sent
    sent       BLOB,                        -- the same in full, when the flow keeps it
    run_id     TEXT   NOT NULL,             -- run that wrote it
    written_at BIGINT NOT NULL,             -- when
    PRIMARY KEY (flow, source_key, write_id, item)
) {keyed};

-- Records whose writes may be under way: there before the first request, gone with the outcome.
-- A row that outlives its process means: look in the target before creating anything.
CREATE TABLE intent (
    flow       TEXT   NOT NULL,             -- the flow
    source_key TEXT   NOT NULL,             -- key of the record in the source
    epoch      BIGINT NOT NULL,             -- claim under which it was begun
    run_id     TEXT   NOT NULL,             -- run that began it
    begun_at   BIGINT NOT NULL,             -- when
    PRIMARY KEY (flow, source_key)
) {keyed};

-- Every run; its counts grow with each page, and records_read is the sum of the others.
CREATE TABLE run (
    id           TEXT   NOT NULL PRIMARY KEY, -- sortable by start
    flow         TEXT   NOT NULL,           -- the flow
    epoch        BIGINT NOT NULL,           -- claim under which it runs
    cause        TEXT   NOT NULL,           -- what started it: schedule, webhook, by hand
    plan_print   BLOB   NOT NULL,           -- the plan it runs
    state        TEXT   NOT NULL,           -- running, succeeded, partial, failed, stopped
    started_at   BIGINT NOT NULL,           -- when it started
    ended_at     BIGINT,                    -- when it ended
    error        TEXT,                      -- why it failed or was stopped
    pages        BIGINT NOT NULL,           -- pages settled
    records_read BIGINT NOT NULL,           -- records read
    created      BIGINT NOT NULL,           -- of these: something was created
    updated      BIGINT NOT NULL,           -- something was updated, nothing created
    unchanged    BIGINT NOT NULL,           -- nothing had to be sent
    skipped      BIGINT NOT NULL,           -- left out by the flow
    failed       BIGINT NOT NULL,           -- refused
    waiting      BIGINT NOT NULL,           -- to be tried again
    pruned_at    BIGINT                     -- when its activity was removed
);
CREATE INDEX run_by_flow ON run (flow, started_at);
CREATE INDEX run_under_way ON run (flow) WHERE state = 'running';
CREATE INDEX run_prunable ON run (flow, ended_at) WHERE pruned_at IS NULL;

-- What happened to each record in each run.
CREATE TABLE activity (
    run_id     TEXT   NOT NULL,             -- the run
    page       BIGINT NOT NULL,             -- page of the run, counted from 1
    seq        BIGINT NOT NULL,             -- place in the page, counted from 0
    flow       TEXT   NOT NULL,             -- the flow
    source_key TEXT   NOT NULL,             -- key of the record in the source
    outcome    TEXT   NOT NULL,             -- as in ledger
    reason     TEXT,                        -- as in ledger
    payload    BLOB,                        -- the record as it was read, when the flow keeps it
    detail     BLOB,                        -- decisions, requests and answers, as JSON
    at         BIGINT NOT NULL,             -- when the page was settled
    PRIMARY KEY (run_id, page, seq)
);
CREATE INDEX activity_by_record ON activity (flow, source_key, at);

-- Business keys that people search by: order number, e-mail address.
CREATE TABLE record_key (
    search_key TEXT   NOT NULL,             -- trimmed, in lower case
    flow       TEXT   NOT NULL,             -- the flow
    source_key TEXT   NOT NULL,             -- key of the record in the source
    PRIMARY KEY (search_key, flow, source_key)
) {keyed};
CREATE INDEX record_key_by_record ON record_key (flow, source_key);

-- Records that need somebody, or another try, with all it takes to try again.
CREATE TABLE dead (
    flow        TEXT   NOT NULL,            -- the flow
    source_key  TEXT   NOT NULL,            -- key of the record in the source
    payload     BLOB   NOT NULL,            -- the record as it was read
    class       TEXT   NOT NULL,            -- kind of failure, for grouping
    reason      TEXT   NOT NULL,            -- what was wrong, in plain words
    attempts    BIGINT NOT NULL,            -- times it has failed since first_at
    plan_print  BLOB   NOT NULL,            -- the plan that failed last
    run_id      TEXT   NOT NULL,            -- run that failed last
    first_at    BIGINT NOT NULL,            -- first failure of this row of failures
    last_at     BIGINT NOT NULL,            -- last one
    retry_at    BIGINT,                     -- the engine itself tries again from then on; NULL: a person decides
    resolved_at BIGINT,                     -- when a later success or a person closed it
    PRIMARY KEY (flow, source_key)
);
CREATE INDEX dead_open ON dead (flow, last_at) WHERE resolved_at IS NULL;

-- Sealed secrets: tokens that a system rotates. Sealed before they come here.
CREATE TABLE kept (
    connection TEXT   NOT NULL,             -- connection of the project
    name       TEXT   NOT NULL,             -- which secret
    sealed     BLOB   NOT NULL,             -- cipher text
    updated_at BIGINT NOT NULL,             -- when it was last replaced
    PRIMARY KEY (connection, name)
);
