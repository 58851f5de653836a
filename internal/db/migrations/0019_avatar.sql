-- +goose Up
-- Pictures of accounts. id is a part of the public addresses. A row is committed as 'pending'
-- before the first of its objects is written, and becomes 'live' in the transaction that
-- replaces the picture before it. Rows that are 'deleting', and old pending ones, are removed
-- with their objects.
CREATE TABLE avatars (
    id         TEXT PRIMARY KEY,
    account    TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('pending', 'live', 'deleting')),
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX avatars_live ON avatars (account) WHERE state = 'live';
CREATE INDEX avatars_pending ON avatars (created_at) WHERE state = 'pending';
CREATE INDEX avatars_deleting ON avatars (id) WHERE state = 'deleting';
