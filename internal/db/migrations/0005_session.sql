-- +goose Up
-- Who is signed in where. A session's private key is not here: the room token keeps it in
-- the key store. label is sealed under the account's data key. The refresh columns hold one
-- chain: the digest of the token that is good now, of the one before it, and the key under
-- which the one was derived from the other. seal covers the columns that decide who a caller
-- is.
CREATE TABLE sessions (
    id                 TEXT PRIMARY KEY,
    account            TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    ver                BIGINT NOT NULL,
    aal                TEXT NOT NULL,
    amr                TEXT NOT NULL,
    auth_time          BIGINT NOT NULL,
    public_key         BLOB NOT NULL,
    label              BLOB NOT NULL,
    family             BLOB NOT NULL,
    refresh_hash       BLOB NOT NULL,
    refresh_before     BLOB,
    refresh_kid        TEXT NOT NULL,
    refresh_seq        BIGINT NOT NULL,
    refreshed_at       BIGINT NOT NULL,
    refresh_expires_at BIGINT NOT NULL,
    seal               BLOB NOT NULL,
    device             BLOB, -- the remembered device it was opened from: who ends the session from the list ends that too
    device_family      BLOB, -- of that device
    created_at         BIGINT NOT NULL,
    expires_at         BIGINT NOT NULL
);
CREATE UNIQUE INDEX sessions_family ON sessions (family);
CREATE INDEX sessions_account ON sessions (account, created_at, id);
CREATE INDEX sessions_expires ON sessions (expires_at);
CREATE INDEX sessions_idle ON sessions (refresh_expires_at);

-- Sign-ins whose first proof was good and whose layers are not all passed. data is sealed to
-- the other columns but tries, and says which layers are passed.
CREATE TABLE attempts (
    id         TEXT PRIMARY KEY,
    account    TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    token      BLOB NOT NULL,
    data       BLOB NOT NULL,
    tries      BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX attempts_account ON attempts (account);
CREATE INDEX attempts_expires ON attempts (expires_at);

-- Devices that are not asked again for the layers they have passed. seal is made under the
-- account's data key, over the other columns.
CREATE TABLE devices (
    token      BLOB PRIMARY KEY,
    account    TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    ver        BIGINT NOT NULL,
    layers     TEXT NOT NULL,
    family     BLOB NOT NULL, -- stays when the device is remembered again
    expires_at BIGINT NOT NULL,
    seal       BLOB NOT NULL
);
CREATE INDEX devices_account ON devices (account, token);
CREATE INDEX devices_expires ON devices (expires_at);

-- Which clients an account has signed in from: an owner is told of a new one. client is an
-- index of browser, system and network under the account's data key.
CREATE TABLE session_clients (
    account    TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    client     BLOB NOT NULL,
    session    TEXT NOT NULL, -- the newest one that came from it
    first_at   BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (account, client)
);
CREATE INDEX session_clients_first ON session_clients (account, first_at);
CREATE INDEX session_clients_expires ON session_clients (expires_at);
