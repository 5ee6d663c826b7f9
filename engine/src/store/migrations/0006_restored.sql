-- A store that was put back does not know what was sent after the copy was made.

-- Flows for which that has not been made up for: their next whole pass takes records of which
-- nothing is known for records that may have been created. Putting a copy back makes this table
-- in stores that do not have it yet.
CREATE TABLE IF NOT EXISTS restored (
    flow TEXT   NOT NULL PRIMARY KEY,       -- the flow
    at   BIGINT NOT NULL                    -- when the store was put back
);
