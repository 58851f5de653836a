-- +goose Up
-- One stored object each. A row is committed as 'pending' before the object's first byte is
-- written, and becomes 'live' in the transaction that stores what refers to it. Rows that are
-- 'deleting', and pending ones that no upload has touched for a while, are removed with their
-- objects.
CREATE TABLE blobs (
    id         TEXT PRIMARY KEY,
    account    TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('pending', 'live', 'deleting')),
    wrapped    BLOB NOT NULL,
    size       BIGINT NOT NULL,
    touched_at BIGINT NOT NULL
);
CREATE INDEX blobs_pending ON blobs (touched_at) WHERE state = 'pending';
CREATE INDEX blobs_deleting ON blobs (id) WHERE state = 'deleting';
CREATE INDEX blobs_account ON blobs (account, id) WHERE state <> 'deleting';

-- The content of small objects, sealed as the store's are. It stands beside its row so that
-- what changes the row does not write the content again.
CREATE TABLE blob_contents (
    blob    TEXT PRIMARY KEY,
    content BLOB NOT NULL
);

-- The bytes of an account's live objects. forgotten is true while a deleted account's objects
-- are removed; it takes no content then.
CREATE TABLE content_usage (
    account   TEXT PRIMARY KEY,
    bytes     BIGINT NOT NULL,
    forgotten BOOLEAN NOT NULL
);
CREATE INDEX content_usage_forgotten ON content_usage (account) WHERE forgotten;
