-- +goose Up
-- Blocked networks. subject is the blind index of the network and of automatic. sealed holds
-- the network and the reason, and binds id and automatic. span is how long an automatic block
-- lasts; its row stays for a month after the end, so that the next one lasts longer. A block
-- that was removed has ended, with a span of 0. version is that of the last change.
CREATE TABLE blocks (
    id         TEXT PRIMARY KEY,
    subject    BLOB NOT NULL,
    sealed     BLOB NOT NULL,
    automatic  BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    span       BIGINT NOT NULL,
    version    BIGINT NOT NULL
);
CREATE UNIQUE INDEX blocks_subject ON blocks (subject);
CREATE INDEX blocks_version ON blocks (version);
CREATE INDEX blocks_expires ON blocks (automatic, expires_at);

-- The version of the list: one row. A change takes the next one, so that changes commit in
-- their order, and a node reads those that it does not have.
CREATE TABLE block_list (
    name    TEXT PRIMARY KEY,
    version BIGINT NOT NULL
);
INSERT INTO block_list (name, version) VALUES ('blocks', 0);
