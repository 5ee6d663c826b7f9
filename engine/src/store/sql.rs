//! Every statement of the store, in SQL that SQLite and PostgreSQL both speak.
//!
//! `{now}` stands for the database's clock and `{hold}` for what keeps a row until the end of
//! the transaction; both come from the dialect. Columns are read in the order in which they
//! stand here.

use super::link::Many;

// --- leases -----------------------------------------------------------------------------

/// Now.
pub(super) const NOW: &str = "SELECT {now}";

/// Claims a flow that nobody holds: none ever did, the lease ran out, or its holder is dead.
pub(super) const CLAIM: &str = "
INSERT INTO lease (flow, epoch, holder, expires_at) VALUES ($1, 1, $2, $3)
ON CONFLICT (flow) DO UPDATE
SET epoch = lease.epoch + 1, holder = excluded.holder, expires_at = excluded.expires_at
WHERE lease.expires_at <= $4 OR lease.holder = $5
RETURNING epoch";

/// Who holds a flow.
pub(super) const LEASE: &str = "SELECT flow, epoch, holder, expires_at FROM lease WHERE flow = $1{hold}";

/// Who holds what.
pub(super) const LEASES: &str = "
SELECT flow, epoch, holder, expires_at FROM lease WHERE holder <> '' ORDER BY flow";

/// The fence: a row only while the lease is ours, and the time.
pub(super) const FENCE: &str = "
SELECT {now} FROM lease WHERE flow = $1 AND epoch = $2 AND holder = $3{hold}";

/// Moves the end of a lease.
pub(super) const RENEW: &str = "
UPDATE lease SET expires_at = $4 WHERE flow = $1 AND epoch = $2 AND holder = $3";

/// Gives a lease back; the epoch stays.
pub(super) const RELEASE: &str = "
UPDATE lease SET holder = '', expires_at = 0 WHERE flow = $1 AND epoch = $2 AND holder = $3";

// --- runs -------------------------------------------------------------------------------

/// Ends what a process that is gone left under way.
pub(super) const END_ORPHANS: &str = "
UPDATE run SET state = 'stopped', ended_at = $2, error = 'the process ended before the run did'
WHERE flow = $1 AND state = 'running'";

/// Begins a run.
pub(super) const START_RUN: &str = "
INSERT INTO run (id, flow, epoch, cause, plan_print, state, started_at, pages, records_read, created,
    updated, unchanged, skipped, failed, waiting)
VALUES ($1, $2, $3, $4, $5, 'running', $6, 0, 0, 0, 0, 0, 0, 0, 0)";

/// Adds a page to a run; answers the number of the page.
pub(super) const COUNT_PAGE: &str = "
UPDATE run SET pages = pages + 1, records_read = records_read + $3, created = created + $4,
    updated = updated + $5, unchanged = unchanged + $6, skipped = skipped + $7, failed = failed + $8,
    waiting = waiting + $9
WHERE id = $1 AND flow = $2 AND state = 'running'
RETURNING pages";

/// Ends a run.
pub(super) const END_RUN: &str = "
UPDATE run SET state = $3, ended_at = $4, error = $5 WHERE id = $1 AND flow = $2 AND state = 'running'";

/// One run.
pub(super) const RUN: &str = "
SELECT id, flow, epoch, cause, plan_print, state, started_at, ended_at, error, pages, created, updated,
    unchanged, skipped, failed, waiting
FROM run WHERE id = $1";

/// The latest runs of a flow.
pub(super) const RUNS_OF_FLOW: &str = "
SELECT id, flow, epoch, cause, plan_print, state, started_at, ended_at, error, pages, created, updated,
    unchanged, skipped, failed, waiting
FROM run WHERE flow = $1 ORDER BY started_at DESC, id DESC LIMIT $2";

/// The latest runs.
pub(super) const RUNS: &str = "
SELECT id, flow, epoch, cause, plan_print, state, started_at, ended_at, error, pages, created, updated,
    unchanged, skipped, failed, waiting
FROM run ORDER BY id DESC LIMIT $1";

// --- pages ------------------------------------------------------------------------------

/// How far a flow has read.
pub(super) const CURSOR: &str = "SELECT since, high, position, plan_print FROM cursor WHERE flow = $1";

/// Moves the cursor.
pub(super) const SET_CURSOR: &str = "
INSERT INTO cursor (flow, since, high, position, plan_print, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (flow) DO UPDATE
SET since = excluded.since, high = excluded.high, position = excluded.position,
    plan_print = excluded.plan_print, updated_at = excluded.updated_at";

/// Notes that the writes of these records are about to begin.
pub(super) static BEGIN: Many = Many::new(
    "INSERT INTO intent (flow, source_key, epoch, run_id, begun_at) VALUES ",
    "($1, ?, $2, $3, $4)",
    " ON CONFLICT (flow, source_key) DO UPDATE
SET epoch = excluded.epoch, run_id = excluded.run_id, begun_at = excluded.begun_at",
    4,
);

/// Takes the intents of settled records away.
pub(super) static DROP_INTENTS: Many =
    Many::new("DELETE FROM intent WHERE flow = $1 AND source_key IN (", "?", ")", 1);

/// Outcomes.
pub(super) static LEDGER: Many = Many::new(
    "INSERT INTO ledger (flow, source_key, source_print, plan_print, outcome, reason, attempts, run_id, \
           updated_at) VALUES ",
    "($1, ?, ?, $2, ?, ?, ?, $3, $4)",
    " ON CONFLICT (flow, source_key) DO UPDATE
SET source_print = excluded.source_print, plan_print = excluded.plan_print, outcome = excluded.outcome,
    reason = excluded.reason, run_id = excluded.run_id, updated_at = excluded.updated_at,
    attempts = CASE WHEN excluded.attempts = 0 THEN 0 ELSE ledger.attempts + 1 END",
    4,
);

/// What was sent.
pub(super) static WRITTEN: Many = Many::new(
    "INSERT INTO written (flow, source_key, write_id, item, target_key, sent_print, sent, run_id, \
           written_at) VALUES ",
    "($1, ?, ?, ?, ?, ?, ?, $2, $3)",
    " ON CONFLICT (flow, source_key, write_id, item) DO UPDATE
SET target_key = excluded.target_key, sent_print = excluded.sent_print, sent = excluded.sent,
    run_id = excluded.run_id, written_at = excluded.written_at",
    3,
);

/// The log.
pub(super) static ACTIVITY: Many = Many::new(
    "INSERT INTO activity (run_id, page, seq, flow, source_key, outcome, reason, payload, detail, at) \
           VALUES ",
    "($1, $2, ?, $3, ?, ?, ?, ?, ?, $4)",
    "",
    4,
);

/// Business keys.
pub(super) static RECORD_KEYS: Many = Many::new(
    "INSERT INTO record_key (search_key, flow, source_key) VALUES ",
    "(?, $1, ?)",
    " ON CONFLICT (search_key, flow, source_key) DO NOTHING",
    1,
);

/// Dead letters. One that was resolved begins anew. What a person edited, and the payload beside
/// it, stay while the source has the same record; another record puts the edit out of date.
pub(super) static BURY: Many = Many::new(
    "INSERT INTO dead (flow, source_key, payload, class, reason, attempts, plan_print, run_id, first_at, \
           last_at, retry_at, source_print) VALUES ",
    "($1, ?, ?, ?, ?, 1, $2, $3, $4, $4, ?, ?)",
    " ON CONFLICT (flow, source_key) DO UPDATE
SET class = excluded.class, reason = excluded.reason,
    plan_print = excluded.plan_print, run_id = excluded.run_id, last_at = excluded.last_at,
    retry_at = excluded.retry_at, resolved_at = NULL, source_print = excluded.source_print,
    dropped_by = NULL, dropped_why = NULL,
    payload = CASE WHEN dead.resolved_at IS NULL AND dead.edited IS NOT NULL
        AND dead.source_print = excluded.source_print THEN dead.payload ELSE excluded.payload END,
    edited = CASE WHEN dead.resolved_at IS NULL AND dead.source_print = excluded.source_print
        THEN dead.edited END,
    edited_by = CASE WHEN dead.resolved_at IS NULL AND dead.source_print = excluded.source_print
        THEN dead.edited_by END,
    edited_at = CASE WHEN dead.resolved_at IS NULL AND dead.source_print = excluded.source_print
        THEN dead.edited_at END,
    attempts = CASE WHEN dead.resolved_at IS NULL THEN dead.attempts + 1 ELSE 1 END,
    first_at = CASE WHEN dead.resolved_at IS NULL THEN dead.first_at ELSE excluded.first_at END",
    4,
);

/// Resolves the dead letters of these records.
pub(super) static RESOLVE: Many = Many::new(
    "UPDATE dead SET resolved_at = $2 WHERE flow = $1 AND resolved_at IS NULL AND source_key IN (",
    "?",
    ")",
    2,
);

// --- what is known ----------------------------------------------------------------------

/// Lines of the ledger.
pub(super) static KNOWN_LEDGER: Many = Many::new(
    "SELECT source_key, source_print, plan_print, outcome, reason, attempts, run_id, updated_at
FROM ledger WHERE flow = $1 AND source_key IN (",
    "?",
    ")",
    1,
);

/// What was last sent.
pub(super) static KNOWN_WRITTEN: Many = Many::new(
    "SELECT source_key, write_id, item, target_key, sent_print, sent
FROM written WHERE flow = $1 AND source_key IN (",
    "?",
    ") ORDER BY write_id, item",
    1,
);

/// What may be under way.
pub(super) static KNOWN_INTENTS: Many = Many::new(
    "SELECT source_key, epoch, run_id, begun_at FROM intent WHERE flow = $1 AND source_key IN (",
    "?",
    ")",
    1,
);

/// All that may be under way in a flow.
pub(super) const OPEN_INTENTS: &str = "
SELECT source_key, epoch, run_id, begun_at FROM intent WHERE flow = $1 ORDER BY begun_at, source_key";

// --- records ----------------------------------------------------------------------------

/// Records by business key, or by their own key in a flow that ever ran.
pub(super) const FIND: &str = "
SELECT f.flow, f.source_key, l.source_print, l.plan_print, l.outcome, l.reason, l.attempts, l.run_id,
    l.updated_at
FROM (
    SELECT flow, source_key FROM record_key WHERE search_key IN ($1, $4)
    UNION
    SELECT flow, source_key FROM ledger WHERE source_key = $2 AND flow IN (SELECT flow FROM lease)
) f
LEFT JOIN ledger l ON l.flow = f.flow AND l.source_key = f.source_key
ORDER BY f.flow, f.source_key LIMIT $3";

/// The log of a record, latest first.
pub(super) const HISTORY: &str = "
SELECT run_id, outcome, reason, payload, detail, at FROM activity
WHERE flow = $1 AND source_key = $2 ORDER BY at DESC, run_id DESC, page DESC, seq DESC LIMIT $3";

/// Dead letters; a condition whose value is empty or 0 holds for all.
pub(super) const DEAD: &str = "
SELECT flow, source_key, payload, class, reason, attempts, plan_print, run_id, first_at, last_at, retry_at,
    resolved_at, edited, edited_by, edited_at, dropped_by, dropped_why
FROM dead
WHERE ($1 = '' OR flow = $1) AND ($2 = '' OR class = $2) AND ($3 = '' OR run_id = $3)
    AND ($4 = 1 OR resolved_at IS NULL) AND ($5 = 1 OR retry_at IS NULL)
ORDER BY last_at DESC, flow, source_key LIMIT $6";

/// One dead letter.
pub(super) const DEAD_LETTER: &str = "
SELECT flow, source_key, payload, class, reason, attempts, plan_print, run_id, first_at, last_at, retry_at,
    resolved_at, edited, edited_by, edited_at, dropped_by, dropped_why
FROM dead WHERE flow = $1 AND source_key = $2";

/// Records of a flow whose time to be tried again has come.
pub(super) const DUE: &str = "
SELECT flow, source_key, payload, class, reason, attempts, plan_print, run_id, first_at, last_at, retry_at,
    resolved_at, edited, edited_by, edited_at, dropped_by, dropped_why
FROM dead WHERE flow = $1 AND resolved_at IS NULL AND retry_at <= {now}
ORDER BY retry_at, source_key LIMIT $2";

/// Old runs that read nothing: of them nothing is worth keeping.
pub(super) const PRUNE_IDLE: &str = "
DELETE FROM run WHERE flow = $1 AND ended_at < $2 AND pruned_at IS NULL AND records_read = 0";

/// A run whose activity is old enough to go.
pub(super) const PRUNABLE: &str = "
SELECT id FROM run WHERE flow = $1 AND ended_at < $2 AND pruned_at IS NULL ORDER BY ended_at LIMIT 1";

/// Some pages of its activity: few enough for a short transaction.
pub(super) const PRUNE_PAGES: &str = "
DELETE FROM activity WHERE run_id = $1
    AND page < (SELECT MIN(a.page) FROM activity a WHERE a.run_id = $1) + 20";

/// Notes that a run's activity is gone.
pub(super) const PRUNED: &str = "UPDATE run SET pruned_at = {now} WHERE id = $1";

/// Resolved dead letters that are old enough to go.
pub(super) const PRUNE_DEAD: &str = "DELETE FROM dead WHERE flow = $1 AND resolved_at < $2";

// --- journals ---------------------------------------------------------------------------

/// How far the target of a flow counts.
pub(super) const JOURNAL: &str = "SELECT owner, write_id, mark FROM journal WHERE flow = $1";

/// Flows that add pages.
pub(super) const JOURNALS: &str = "SELECT flow FROM journal ORDER BY flow";

/// Moves that.
pub(super) const SET_JOURNAL: &str = "
INSERT INTO journal (flow, owner, write_id, mark, updated_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (flow) DO UPDATE
SET owner = excluded.owner, write_id = excluded.write_id, mark = excluded.mark, updated_at = excluded.updated_at";

/// The keys of a page. Whoever writes holds the lease, so the number is free.
pub(super) const ADD_JOURNAL_PAGE: &str = "
INSERT INTO journal_page (flow, number, plan_print, run_id, settled_at, keys)
VALUES ($1, (SELECT COALESCE(MAX(p.number), 0) + 1 FROM journal_page p WHERE p.flow = $1), $2, $3, $4, $5)";

/// The keys of pages, in their order.
pub(super) const JOURNAL_KEYS: &str = "
SELECT number, keys FROM journal_page WHERE flow = $1 AND number > $2 ORDER BY number LIMIT $3";

/// Where a page came from.
pub(super) const JOURNAL_PAGE: &str = "
SELECT plan_print, run_id, settled_at FROM journal_page WHERE flow = $1 AND number = $2";

/// Records that have a line of their own.
pub(super) const OTHER_KEYS: &str = "
SELECT source_key FROM (
    SELECT source_key FROM ledger WHERE flow = $1 AND source_key > $2
    UNION
    SELECT source_key FROM intent WHERE flow = $1 AND source_key > $2
) k ORDER BY source_key LIMIT 10000";

// --- schema -----------------------------------------------------------------------------

/// The table that says which schema the store has.
pub(super) const SCHEMA_TABLE: &str = "
CREATE TABLE IF NOT EXISTS weft_schema (
    version BIGINT NOT NULL PRIMARY KEY, about TEXT NOT NULL, applied_at BIGINT NOT NULL)";

/// Highest schema that was applied.
pub(super) const SCHEMA_VERSION: &str = "SELECT COALESCE(MAX(version), 0) FROM weft_schema";

/// Notes a schema.
pub(super) const SCHEMA_APPLIED: &str =
    "INSERT INTO weft_schema (version, about, applied_at) VALUES ($1, $2, {now})";

// --- daemons ----------------------------------------------------------------------------

/// When flows were due and ran.
pub(super) const TURNS: &str = "
SELECT flow, anchor, due_at, started_at, ended_at, next_at, failures, wait_until, reason
FROM turn ORDER BY flow";

/// One of them.
pub(super) const TURN: &str = "
SELECT flow, anchor, due_at, started_at, ended_at, next_at, failures, wait_until, reason
FROM turn WHERE flow = $1{hold}";

/// Notes a flow that is new.
pub(super) const MEET: &str = "
INSERT INTO turn (flow, anchor, due_at, started_at, ended_at, next_at, failures, wait_until, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (flow) DO NOTHING";

/// Begins a turn. Whoever writes holds the lease.
pub(super) const BEGIN_TURN: &str = "
INSERT INTO turn (flow, anchor, due_at, started_at, ended_at, next_at, failures, wait_until, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (flow) DO UPDATE
SET anchor = excluded.anchor, due_at = excluded.due_at, started_at = excluded.started_at,
    ended_at = excluded.ended_at, next_at = excluded.next_at, failures = excluded.failures,
    wait_until = excluded.wait_until, reason = excluded.reason";

/// A turn has ended.
pub(super) const END_TURN: &str = "UPDATE turn SET ended_at = $3 WHERE flow = $1 AND started_at = $2";

/// Runs of which nothing but their counts is left, and that are old.
pub(super) const DROP_RUNS: &str = "DELETE FROM run WHERE pruned_at IS NOT NULL AND ended_at < $1";

/// Keeps what became of it, unless another turn has begun since.
pub(super) const PUT_TURN: &str = "
UPDATE turn
SET anchor = $2, due_at = $3, ended_at = $5, next_at = $6, failures = $7, wait_until = $8, reason = $9
WHERE flow = $1 AND COALESCE(started_at, 0) = COALESCE($4, 0)";

/// When the first waiting record of each flow is due.
pub(super) const WAITING: &str = "
SELECT flow, MIN(retry_at) FROM dead WHERE resolved_at IS NULL AND retry_at IS NOT NULL GROUP BY flow";

/// Refused records that nobody has settled.
pub(super) const OPEN_LETTERS: &str = "
SELECT flow, COUNT(*) FROM dead WHERE resolved_at IS NULL AND retry_at IS NULL GROUP BY flow";

/// How connections fare.
pub(super) const CONNECTION_STATES: &str = "
SELECT connection, failures, open_until, reconnect, reason, updated_at
FROM connection_state ORDER BY connection";

/// Keeps how one fares.
pub(super) const PUT_CONNECTION_STATE: &str = "
INSERT INTO connection_state (connection, failures, open_until, reconnect, reason, updated_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (connection) DO UPDATE
SET failures = excluded.failures, open_until = excluded.open_until, reconnect = excluded.reconnect,
    reason = excluded.reason, updated_at = excluded.updated_at";

/// A daemon is there.
pub(super) const GREET: &str = "
INSERT INTO daemon (holder, started_at, seen_at, trouble) VALUES ($1, $2, $3, $4)
ON CONFLICT (holder) DO UPDATE
SET started_at = excluded.started_at, seen_at = excluded.seen_at, trouble = excluded.trouble";

/// It goes.
pub(super) const LEAVE: &str = "DELETE FROM daemon WHERE holder = $1";

/// Who is there.
pub(super) const DAEMONS: &str = "
SELECT holder, started_at, seen_at, trouble FROM daemon ORDER BY started_at, holder";
