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
    failures           BIGINT NOT NULL DEFAULT 0, -- wrong passwords in a row as a fresh proof
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
    linked     BIGINT NOT NULL DEFAULT 0, -- 1: a mailed link made it known, and no sign-in
    failures   BIGINT NOT NULL DEFAULT 0, -- wrong passwords in a row with its token
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
CREATE INDEX session_clients_first ON session_clients (account, first_at, client);
CREATE INDEX session_clients_expires ON session_clients (expires_at);

-- Wrong passwords in a row, from devices that are not remembered: since the last right one,
-- or since the owner confirmed the account by mail. No time takes them away. An identifier
-- that no account has is counted in one of the rows without an account, so that a guess at it
-- costs the same.
CREATE TABLE sign_in_failures (
    subject   TEXT PRIMARY KEY, -- the account, or "none" and a number
    account   TEXT REFERENCES accounts (id) ON DELETE CASCADE,
    failures  BIGINT NOT NULL,
    locked    BIGINT, -- when an admin locked the account
    confirmed BIGINT  -- when its owner last confirmed it
);
CREATE INDEX sign_in_failures_account ON sign_in_failures (account);
INSERT INTO sign_in_failures (subject, failures)
    WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < 4095) SELECT 'none ' || CAST(n AS TEXT), 0 FROM numbers;
