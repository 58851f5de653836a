-- +goose Up
-- An account whose trusted address has opened a recovery session: from when on the next one
-- may change layers. wait is sealed under the account's data key. It holds when the wait
-- began, and the address with its verified_at.
CREATE TABLE trusted_waits (
    account TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    wait    BLOB NOT NULL
);

-- Backup codes: a set that waits for its owner to have saved it (pending), the set that
-- counts (live and used), and the set before it (old). code is sealed under the account's
-- data key; of an old one it is empty. mac is a keyed hash over account, state and code: a
-- row whose state was changed by hand matches no code.
CREATE TABLE backup_codes (
    id           TEXT PRIMARY KEY,
    account      TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    nth          BIGINT NOT NULL, -- place in its set, from 1
    state        TEXT NOT NULL,
    code         BLOB NOT NULL,
    mac          BLOB NOT NULL,
    made_at      BIGINT NOT NULL,
    confirmed_at BIGINT,
    used_at      BIGINT
);
CREATE INDEX backup_codes_mac ON backup_codes (account, mac);
