-- +goose Up
-- How far the ledger is: entries that were appended, and the time of the last; the size of the
-- tree in ledger_tiles; the size of the newest checkpoint. damaged says why the server signs no
-- more; it is empty as long as all is well. audited_at is when all entries were last hashed.
CREATE TABLE ledger_state (
    id         BIGINT PRIMARY KEY CHECK (id = 1),
    size       BIGINT NOT NULL,
    last_at    BIGINT NOT NULL,
    hashed     BIGINT NOT NULL DEFAULT 0,
    signed     BIGINT NOT NULL DEFAULT 0,
    damaged    TEXT   NOT NULL DEFAULT '',
    audited_at BIGINT NOT NULL DEFAULT 0
);

-- The entries. They hold no personal data and stay for ever.
CREATE TABLE ledger_entries (
    n          BIGINT PRIMARY KEY,
    at         BIGINT NOT NULL,
    kind       TEXT   NOT NULL,
    cid        TEXT   NOT NULL,
    size       BIGINT NOT NULL,
    digest     BLOB   NOT NULL,
    commitment BLOB   NOT NULL
);

-- Whose entries they are, until the account is deleted.
CREATE TABLE ledger_owners (
    account TEXT   NOT NULL,
    n       BIGINT NOT NULL,
    PRIMARY KEY (account, n)
);

-- The hashes of the tree: tile n of a level has up to 256, of the tree's level 8 * level.
CREATE TABLE ledger_tiles (
    level  BIGINT NOT NULL,
    n      BIGINT NOT NULL,
    hashes BLOB   NOT NULL,
    PRIMARY KEY (level, n)
);

-- Every checkpoint that was signed.
CREATE TABLE ledger_checkpoints (
    size BIGINT PRIMARY KEY,
    at   BIGINT NOT NULL,
    note BLOB   NOT NULL
);

-- The verifier keys of all signing keys. They outlive the keys of the ring.
CREATE TABLE ledger_keys (
    key      TEXT   PRIMARY KEY,
    seq      BIGINT NOT NULL, -- order of the ring's keys
    since_at BIGINT NOT NULL,
    until_at BIGINT
);

-- The newest checkpoint that each place outside has.
CREATE TABLE ledger_places (
    name TEXT   PRIMARY KEY,
    size BIGINT NOT NULL
);
