-- +goose Up
-- Resource servers that may ask about access tokens. secret is the digest of 256 random bits.
CREATE TABLE resource_servers (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    secret     BLOB NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX resource_servers_name ON resource_servers (name);
