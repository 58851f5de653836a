-- +goose Up
-- An account whose trusted address has opened a recovery session: from when on the next one
-- may change layers. wait is sealed under the account's data key. It holds when the wait
-- began, and the address with its verified_at.
CREATE TABLE trusted_waits (
    account TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    wait    BLOB NOT NULL
);
