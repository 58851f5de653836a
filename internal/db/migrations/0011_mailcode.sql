-- +goose Up
-- Accounts whose sign-in asks for a mailed code. The account's seal says so too: a deleted
-- row turns nothing off.
CREATE TABLE mailcode (
    account    TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    enabled_at BIGINT NOT NULL,
    used_at    BIGINT -- when a sign-in last passed the layer
);
