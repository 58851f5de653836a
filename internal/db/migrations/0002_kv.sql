-- Short-lived values: a value or a counter, until it expires.
-- +goose Up
CREATE TABLE kv (
    key        TEXT   PRIMARY KEY,
    value      BLOB,            -- NULL: a counter
    number     BIGINT,          -- NULL: a value
    expires_at BIGINT NOT NULL, -- from then on the row is not there
    CHECK ((value IS NULL) <> (number IS NULL))
);
CREATE INDEX kv_expires ON kv (expires_at);
