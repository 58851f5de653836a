-- +goose Up
-- One security question an account at most. question and hint are sealed under the account's
-- data key; answer is an argon2id hash sealed under the pepper. The account's seal says too
-- that the layer is on.
CREATE TABLE questions (
    account    TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    question   BLOB NOT NULL,
    hint       BLOB NOT NULL,
    answer     BLOB NOT NULL,
    enabled_at BIGINT NOT NULL,
    used_at    BIGINT -- when a sign-in last passed the layer
);

-- Answers of an account in the last hour that were wrong, or are being judged.
CREATE TABLE question_failures (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    nth     TEXT NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (account, nth)
);
CREATE INDEX question_failures_at ON question_failures (at);
