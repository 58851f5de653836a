-- +goose Up
-- An account's unfinished uploads are found without the finished ones, which stay as long as an upload
-- may.
CREATE INDEX uploads_unfinished ON uploads (account, created_at, id) WHERE file = '';

-- A sweep goes on behind an upload that it cannot remove, so times that are equal need an order.
DROP INDEX uploads_expires;
CREATE INDEX uploads_expires ON uploads (expires_at, id);
