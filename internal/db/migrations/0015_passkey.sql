-- +goose Up
-- Passkeys. credential_index is a blind index of the credential's id, under the ring's index
-- key. record and name are sealed under the account's data key and bound to the row's id;
-- record is bound to created_at too. It holds the credential's id, public key, sign count,
-- flags, maker and transports.
CREATE TABLE passkeys (
    id               TEXT PRIMARY KEY,
    account          TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    credential_index BLOB NOT NULL UNIQUE,
    name             BLOB NOT NULL,
    record           BLOB NOT NULL,
    created_at       BIGINT NOT NULL,
    used_at          BIGINT -- when it last signed in or confirmed
);
CREATE INDEX passkeys_account ON passkeys (account, created_at, id);
