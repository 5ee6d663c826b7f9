-- Flows that add whole pages to a target that is a journal itself: a line a page, not a line a
-- record.

-- How far the target of such a flow counts.
CREATE TABLE journal (
    flow       TEXT   NOT NULL PRIMARY KEY, -- the flow
    owner      TEXT   NOT NULL,             -- who adds, as the target knows it
    write_id   TEXT   NOT NULL,             -- the create of the flow that adds
    mark       TEXT   NOT NULL,             -- the target's own text for the end of what counts
    updated_at BIGINT NOT NULL              -- when it last moved
);

-- Records that were created, page by page.
CREATE TABLE journal_page (
    flow       TEXT   NOT NULL,             -- the flow
    number     BIGINT NOT NULL,             -- grows by one with each page of the flow
    plan_print BLOB   NOT NULL,             -- the plan that handled it
    run_id     TEXT   NOT NULL,             -- run that handled it
    settled_at BIGINT NOT NULL,             -- when
    keys       BLOB   NOT NULL,             -- fingerprints of the source keys, 16 bytes each; zeros: forgotten
    PRIMARY KEY (flow, number)
);
