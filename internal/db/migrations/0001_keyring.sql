-- The key ring: every secret here is sealed under the root key, which is never here.
-- +goose Up
CREATE TABLE ring_root (
    id     BIGINT PRIMARY KEY CHECK (id = 1),
    sealed BLOB NOT NULL -- opens under the right root key only
);

CREATE TABLE ring_keys (
    purpose      TEXT   NOT NULL,
    kid          TEXT   NOT NULL,
    seq          BIGINT NOT NULL, -- order within the purpose
    alg          TEXT   NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN ('pending', 'active', 'open-only', 'destroyed')),
    secret       BLOB,
    created_at   BIGINT NOT NULL,
    active_at    BIGINT NOT NULL DEFAULT 0, -- 0: not yet
    retired_at   BIGINT NOT NULL DEFAULT 0,
    destroyed_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (purpose, kid),
    UNIQUE (purpose, seq),
    CHECK ((state = 'destroyed') = (secret IS NULL))
);
CREATE UNIQUE INDEX ring_keys_active ON ring_keys (purpose) WHERE state = 'active';
CREATE UNIQUE INDEX ring_keys_pending ON ring_keys (purpose) WHERE state = 'pending';

-- How far each walk over a table has come that seals everything under the active key.
CREATE TABLE ring_rewraps (
    name        TEXT   PRIMARY KEY,
    purpose     TEXT   NOT NULL,
    kid         TEXT   NOT NULL, -- the active key when the walk began
    position    TEXT   NOT NULL,
    done        BIGINT NOT NULL,
    damaged     BIGINT NOT NULL DEFAULT 0, -- values that open under no key: they keep none alive
    waiting     BIGINT NOT NULL DEFAULT 0, -- values that may open another time: the walk is walked again
    started_at  BIGINT NOT NULL,
    finished_at BIGINT NOT NULL DEFAULT 0
);
