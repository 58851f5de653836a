-- +goose Up
-- One telephone an account at most. phone is the number that sign-in sends codes to, pending
-- one that waits for its first code; both are sealed under the account's data key and bound to
-- enabled_at or to setup and setup_at.
CREATE TABLE smscode (
    account    TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    phone      BLOB,
    enabled_at BIGINT,
    used_at    BIGINT, -- when a code was last passed at sign-in
    pending    BLOB,
    setup      TEXT,   -- the challenge of the pending number
    setup_at   BIGINT
);

-- Messages sent, by rule, key and window. key is a blind index.
CREATE TABLE smscode_counts (
    rule    TEXT NOT NULL,
    key     BLOB NOT NULL,
    nth     BIGINT NOT NULL, -- of the rule's windows since 1970
    n       BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    PRIMARY KEY (rule, key, nth)
);
CREATE INDEX smscode_counts_ends ON smscode_counts (ends_at);
