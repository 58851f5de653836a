-- +goose Up
-- Resumable uploads. blob is a growing object; package content knows its offset and length.
-- details (name, media type, folder, and the client's own metadata) are sealed under the
-- account's data key. file is '' until the upload is a file; then it is the entry's id, and
-- size is the content's. node is the process that receives bytes now, or ''; turn counts
-- such processes. A row leaves at expires_at, with its object if it is no file.
CREATE TABLE uploads (
    id         TEXT PRIMARY KEY,
    account    TEXT NOT NULL,
    blob       TEXT NOT NULL,
    details    BLOB NOT NULL,
    file       TEXT NOT NULL,
    size       BIGINT NOT NULL,
    node       TEXT NOT NULL,
    turn       BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX uploads_account ON uploads (account, created_at, id);
CREATE INDEX uploads_expires ON uploads (expires_at);
