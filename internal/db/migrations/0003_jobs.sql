-- +goose Up
-- Work that must happen later. run_at is when the job may be claimed: its time, the end of
-- its lease while a worker has it, or the time of the next attempt. payload and error are
-- sealed; kind, key and failure name no person.
CREATE TABLE jobs (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    key        TEXT,                -- NULL: never a duplicate
    payload    BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    run_at     BIGINT NOT NULL,
    attempts   BIGINT NOT NULL DEFAULT 0,
    claim      TEXT,                -- whose it is; NULL: nobody's
    again      BOOLEAN NOT NULL DEFAULT FALSE, -- asked for once more while it ran
    failure    TEXT NOT NULL DEFAULT '',
    error      BLOB,
    dead_at    BIGINT               -- NULL: unfinished
);
CREATE INDEX jobs_due ON jobs (run_at, id) WHERE dead_at IS NULL;
CREATE INDEX jobs_dead ON jobs (dead_at, id) WHERE dead_at IS NOT NULL;
CREATE UNIQUE INDEX jobs_key ON jobs (kind, key) WHERE key IS NOT NULL AND dead_at IS NULL;

-- Work that comes back: due_at is the next time, or the end of the lease while a node is at it.
-- ages says how long the node that started last keeps the rows that the work removes.
CREATE TABLE job_periods (
    name     TEXT PRIMARY KEY,
    due_at   BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    claim    TEXT,
    ages     TEXT NOT NULL DEFAULT ''
);
