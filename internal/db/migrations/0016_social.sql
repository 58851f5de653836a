-- +goose Up
-- Accounts of other services that somebody signs in with. subject_index is the blind index of
-- issuer and subject. record holds both and the address, sealed under the account's data key
-- and bound to id, account, provider and created_at.
CREATE TABLE identities (
    id            TEXT PRIMARY KEY,
    account       TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    provider      TEXT NOT NULL,
    subject_index BLOB NOT NULL UNIQUE,
    record        BLOB NOT NULL,
    created_at    BIGINT NOT NULL,
    used_at       BIGINT, -- the last sign-in or fresh proof
    UNIQUE (account, provider)
);
