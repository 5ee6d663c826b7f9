-- Flows as they were, so that a record can be run again as it was then.

-- Kept while there is a run of it.
CREATE TABLE edition (
    flow    TEXT   NOT NULL,                -- the flow
    print   BLOB   NOT NULL,                -- fingerprint of the plan, as in run
    text    BLOB   NOT NULL,                -- text, scripts and answers, as JSON
    kept_at BIGINT NOT NULL,                -- when
    PRIMARY KEY (flow, print)
);
