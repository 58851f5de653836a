-- +goose Up
-- Pins of accounts. details (the name and the parcel's key) are sealed under the account's
-- data key and bind id, entry, kind and encrypt. cid is '' until the blocks are known. state
-- is that of the least advanced target. served says that the gateway shows the blocks.
-- entries are the pin's places in the ledger, each with a comma. attempt belongs to the
-- worker that makes the outline, which is due at next_at.
CREATE TABLE pins (
    id         TEXT PRIMARY KEY,
    account    TEXT NOT NULL,
    entry      TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('file', 'folder')),
    encrypt    BOOLEAN NOT NULL,
    details    BLOB NOT NULL,
    size       BIGINT NOT NULL,
    cid        TEXT NOT NULL,
    total      BIGINT NOT NULL,
    framed     BIGINT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'pinned', 'verified', 'failed', 'removing')),
    served     BOOLEAN NOT NULL,
    announced  BOOLEAN NOT NULL,
    entries    TEXT NOT NULL,
    attempt    BIGINT NOT NULL,
    tries      BIGINT NOT NULL,
    next_at    BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX pins_account ON pins (account, created_at, id);
CREATE INDEX pins_entry ON pins (account, entry, created_at, id);
CREATE INDEX pins_due ON pins (next_at, id) WHERE cid = '';
CREATE INDEX pins_cid ON pins (cid, id) WHERE cid <> '';

-- A pin at one provider. attempt belongs to the worker that has the row: a worker that lost
-- it changes nothing. held says that the row counts in pin_copies. since_at is when the state
-- began, missing_at when a block was first not there, next_at when there is work.
CREATE TABLE pin_targets (
    pin         TEXT NOT NULL,
    target      TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'pinned', 'verified', 'failed', 'removing')),
    reason      TEXT NOT NULL,
    fetches     BOOLEAN NOT NULL,
    held        BOOLEAN NOT NULL,
    attempt     BIGINT NOT NULL,
    tries       BIGINT NOT NULL,
    since_at    BIGINT NOT NULL,
    missing_at  BIGINT,
    next_at     BIGINT NOT NULL,
    pinned_at   BIGINT,
    verified_at BIGINT,
    PRIMARY KEY (pin, target)
);
CREATE INDEX pin_targets_due ON pin_targets (next_at, pin, target);

-- The files of a pin. A folder has no object. details (path, hash, time) are sealed under the
-- account's data key and bind the other columns.
CREATE TABLE pin_files (
    pin     TEXT NOT NULL,
    ord     BIGINT NOT NULL,
    object  TEXT,
    size    BIGINT NOT NULL,
    details BLOB NOT NULL,
    PRIMARY KEY (pin, ord)
);

-- The blocks of a pin, each once. A leaf of a file is made again from its place (ord, start,
-- length); every other block has its bytes.
CREATE TABLE pin_blocks (
    pin    TEXT NOT NULL,
    digest BLOB NOT NULL,
    codec  BIGINT NOT NULL,
    ord    BIGINT NOT NULL,
    start  BIGINT NOT NULL,
    length BIGINT NOT NULL,
    bytes  BLOB,
    PRIMARY KEY (pin, digest)
);
CREATE INDEX pin_blocks_digest ON pin_blocks (digest, pin);
CREATE INDEX pin_blocks_place ON pin_blocks (pin, ord, start, digest);

-- Copies at providers, whichever account asked: one row for a content there, and no account.
-- holders counts the pins that need it; the last one that goes sets removing. sender is the
-- pin whose worker may send. ref is the provider's name of it.
CREATE TABLE pin_copies (
    target   TEXT NOT NULL,
    cid      TEXT NOT NULL,
    holders  BIGINT NOT NULL,
    sender   TEXT NOT NULL,
    sent     BOOLEAN NOT NULL,
    ref      TEXT NOT NULL,
    removing BOOLEAN NOT NULL,
    tries    BIGINT NOT NULL,
    next_at  BIGINT NOT NULL,
    PRIMARY KEY (target, cid)
);
CREATE INDEX pin_copies_due ON pin_copies (next_at, target, cid) WHERE removing;
