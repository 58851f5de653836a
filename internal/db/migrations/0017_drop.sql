-- +goose Up
-- Live drops. id is random and never leaves the server; name is what people type.
CREATE TABLE drops (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    expires_at BIGINT NOT NULL
);
CREATE INDEX drops_expires ON drops (expires_at);

-- Members of drops: one host each, and guests. token is the digest of 256 random bits.
-- address is a blind index of the address that a guest joined from. node names the process
-- that holds the member's connection; without one it is '', and seen_at says since when.
-- sockets counts the member's connections.
CREATE TABLE drop_members (
    rid       TEXT PRIMARY KEY,
    drop_id   TEXT NOT NULL REFERENCES drops (id) ON DELETE CASCADE,
    token     BLOB NOT NULL UNIQUE,
    host      BOOLEAN NOT NULL,
    admitted  BOOLEAN NOT NULL,
    address   BLOB NOT NULL,
    joined_at BIGINT NOT NULL,
    node      TEXT NOT NULL,
    sockets   BIGINT NOT NULL,
    seen_at   BIGINT NOT NULL
);
CREATE INDEX drop_members_drop ON drop_members (drop_id, host);
CREATE INDEX drop_members_late ON drop_members (joined_at) WHERE admitted = FALSE;
CREATE INDEX drop_members_away ON drop_members (seen_at) WHERE host = TRUE AND node = '';
CREATE INDEX drop_members_node ON drop_members (node);

-- Processes of the server that hold connections of members.
CREATE TABLE drop_nodes (
    id      TEXT PRIMARY KEY,
    seen_at BIGINT NOT NULL
);

-- Transfers that were asked for. id is the digest of the public one. node is '' until a
-- process sends the receiver its stream.
CREATE TABLE drop_transfers (
    id       TEXT PRIMARY KEY,
    drop_id  TEXT NOT NULL REFERENCES drops (id) ON DELETE CASCADE,
    sender   TEXT NOT NULL,
    receiver TEXT NOT NULL,
    node     TEXT NOT NULL,
    asked_at BIGINT NOT NULL
);
CREATE INDEX drop_transfers_drop ON drop_transfers (drop_id);
CREATE INDEX drop_transfers_receiver ON drop_transfers (receiver);
CREATE INDEX drop_transfers_node ON drop_transfers (node, asked_at);
