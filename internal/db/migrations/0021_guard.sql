-- +goose Up
-- What happened at the doors of an account. sealed (address, place, device, methods, session,
-- flags, findings) is under the account's data key and binds the other columns. Each outcome
-- has its own bound, so that strangers' failures push out no success.
CREATE TABLE sign_in_events (
    id      TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    at      BIGINT NOT NULL,
    kind    TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('ok', 'failed', 'held', 'noticed')),
    sealed  BLOB NOT NULL
);
CREATE INDEX sign_in_events_account ON sign_in_events (account, at, id);
CREATE INDEX sign_in_events_outcome ON sign_in_events (account, outcome, at, id);
CREATE INDEX sign_in_events_at ON sign_in_events (at, id);

-- The habit of an account: a summary, sealed under its data key.
CREATE TABLE habits (
    account TEXT PRIMARY KEY,
    sealed  BLOB NOT NULL
);

-- Wrong proofs of the last days, across accounts. network, subject and name are indexes under
-- the ring's key: of where they came from, of the account or the unknown name, and of the name
-- as it was given.
CREATE TABLE guard_failures (
    id      TEXT PRIMARY KEY,
    network BLOB NOT NULL,
    subject BLOB NOT NULL,
    name    BLOB NOT NULL,
    at      BIGINT NOT NULL
);
CREATE INDEX guard_failures_network ON guard_failures (network, at);
CREATE INDEX guard_failures_subject ON guard_failures (subject, at);
CREATE INDEX guard_failures_name ON guard_failures (network, subject, name, at);
CREATE INDEX guard_failures_at ON guard_failures (at, id);

-- Sign-ins of the last days: id is the session. judged says that no later look at the network
-- need tell of it.
CREATE TABLE guard_entries (
    id      TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    network BLOB NOT NULL,
    subject BLOB NOT NULL,
    at      BIGINT NOT NULL,
    judged  BOOLEAN NOT NULL
);
CREATE INDEX guard_entries_network ON guard_entries (network, at);
CREATE INDEX guard_entries_account ON guard_entries (account, network, at);
CREATE INDEX guard_entries_at ON guard_entries (at, id);

-- Networks that guess at many accounts, and when the server last saw that.
CREATE TABLE guard_networks (
    network BLOB PRIMARY KEY,
    at      BIGINT NOT NULL
);
CREATE INDEX guard_networks_at ON guard_networks (at);
