-- Sealed secrets that are shared by processes; dead letters that a person edits or drops; people
-- who were forgotten.

-- Who is at something that one process does at a time, such as exchanging a token.
CREATE TABLE guard (
    name       TEXT   NOT NULL PRIMARY KEY, -- what is done
    ticket     TEXT   NOT NULL,             -- tells one guard from the next
    holder     TEXT   NOT NULL,             -- process that has it
    expires_at BIGINT NOT NULL              -- from then on anybody may take it
);

-- A dead letter as a person left it.
ALTER TABLE dead ADD COLUMN source_print BLOB;  -- the record as it was read; NULL: from before this column
ALTER TABLE dead ADD COLUMN edited BLOB;        -- the payload as somebody wants it tried
ALTER TABLE dead ADD COLUMN edited_by TEXT;     -- who
ALTER TABLE dead ADD COLUMN edited_at BIGINT;   -- when
ALTER TABLE dead ADD COLUMN dropped_by TEXT;    -- who gave it up; NULL: nobody did
ALTER TABLE dead ADD COLUMN dropped_why TEXT;   -- why

-- What was removed of a person; nothing in it says who that was.
CREATE TABLE forgotten (
    id           TEXT   NOT NULL PRIMARY KEY, -- sortable by moment
    who          BLOB   NOT NULL,           -- fingerprint of what was given: an address, a key
    forgotten_at BIGINT NOT NULL,           -- when
    forgotten_by TEXT   NOT NULL,           -- by whom
    removed      TEXT   NOT NULL            -- numbers by flow and kind, as JSON
);

-- Flows of which records were forgotten: others need not be asked for them.
CREATE TABLE forgotten_flow (
    flow TEXT NOT NULL PRIMARY KEY          -- the flow
);
