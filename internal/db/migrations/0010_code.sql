-- +goose Up
-- Codes that were sent and are waited for: one for each challenge and purpose. code is a
-- keyed hash that binds the other columns but tries and sends, which count answers and codes of
-- the whole challenge.
CREATE TABLE codes (
    challenge  TEXT NOT NULL,
    purpose    TEXT NOT NULL,
    account    TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    code       BLOB NOT NULL,
    tries      BIGINT NOT NULL,
    sends      BIGINT NOT NULL,
    sent_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL, -- of the code
    ends_at    BIGINT NOT NULL, -- of the challenge
    PRIMARY KEY (challenge, purpose)
);
CREATE INDEX codes_account ON codes (account);
CREATE INDEX codes_ends ON codes (ends_at);

-- Wrong answers of an account in the last hour, over all challenges of a purpose.
CREATE TABLE code_failures (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    purpose TEXT NOT NULL,
    at      BIGINT NOT NULL,
    nth     TEXT NOT NULL,
    PRIMARY KEY (account, purpose, at, nth)
);
CREATE INDEX code_failures_at ON code_failures (at);

-- Wrong answers in a row at sign-in, over all challenges of a purpose: no time takes them away.
CREATE TABLE code_streaks (
    account  TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    purpose  TEXT NOT NULL,
    failures BIGINT NOT NULL,
    PRIMARY KEY (account, purpose)
);
