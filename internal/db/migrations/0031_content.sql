-- +goose Up
-- A sweep goes on behind an object that it cannot remove, so times that are equal need an order.
DROP INDEX blob_growth_expires;
CREATE INDEX blob_growth_expires ON blob_growth (expires_at, blob);
DROP INDEX blobs_pending;
CREATE INDEX blobs_pending ON blobs (touched_at, id) WHERE state = 'pending';
