-- +goose Up
-- One authenticator app an account at most. The secret is sealed under the account's
-- data key. A row without enabled_at is an enrolment that waits for its first code.
CREATE TABLE totp (
    account    TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    secret     BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    enabled_at BIGINT,
    tries      BIGINT NOT NULL DEFAULT 0, -- codes tried against the enrolment
    failures   BIGINT NOT NULL DEFAULT 0, -- wrong codes since the last right one
    last_step  BIGINT NOT NULL DEFAULT 0, -- the newest 30-second step whose code was spent
    used_at    BIGINT                     -- when a sign-in last passed the layer
);
