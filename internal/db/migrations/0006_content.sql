-- +goose Up
-- One stored object each. A row is committed as 'pending' before the object's first byte is
-- written, and becomes 'live' in the transaction that stores what refers to it. An object that
-- comes in by parts is 'growing' until then. Rows that are 'deleting', and pending ones that no
-- upload has touched for a while, are removed with their objects.
--
-- size of a pending object is what it holds of content_usage.reserved. refs counts what refers
-- to the object. parts is NULL when the object is in one piece, empty while it grows, and then the
-- hash of its list of parts, to which wrapped is bound.
CREATE TABLE blobs (
    id         TEXT PRIMARY KEY,
    account    TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('pending', 'growing', 'live', 'deleting')),
    wrapped    BLOB NOT NULL,
    size       BIGINT NOT NULL,
    refs       BIGINT NOT NULL,
    parts      BLOB NULL,
    touched_at BIGINT NOT NULL
);
CREATE INDEX blobs_pending ON blobs (touched_at) WHERE state = 'pending';
CREATE INDEX blobs_deleting ON blobs (id) WHERE state = 'deleting';
CREATE INDEX blobs_account ON blobs (account, id) WHERE state <> 'deleting';

-- The content of small objects and of small parts, sealed as the store's are. It stands beside
-- its row so that what changes the row does not write the content again.
CREATE TABLE blob_contents (
    blob    TEXT PRIMARY KEY,
    content BLOB NOT NULL
);

-- An object that grows: how far it has come, how far it goes (NULL: not said yet), what it
-- holds of content_usage.reserved, and the sealed state that the next part continues. attempt
-- is the fence: an append that begins raises it, and so ends the one before.
CREATE TABLE blob_growth (
    blob       TEXT PRIMARY KEY,
    account    TEXT NOT NULL,
    taken      BIGINT NOT NULL,
    length     BIGINT NULL,
    reserved   BIGINT NOT NULL,
    attempt    BIGINT NOT NULL,
    progress   BLOB NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX blob_growth_expires ON blob_growth (expires_at);
CREATE INDEX blob_growth_account ON blob_growth (account);

-- The parts of objects, each under its own id in the store or in blob_contents. A part is
-- 'pending' until the transaction that moves its object's growth behind it.
CREATE TABLE blob_parts (
    id         TEXT PRIMARY KEY,
    blob       TEXT NOT NULL,
    start      BIGINT NOT NULL,
    size       BIGINT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('pending', 'live', 'deleting')),
    touched_at BIGINT NOT NULL
);
CREATE INDEX blob_parts_blob ON blob_parts (blob, start);
CREATE INDEX blob_parts_pending ON blob_parts (touched_at) WHERE state = 'pending';
CREATE INDEX blob_parts_deleting ON blob_parts (id) WHERE state = 'deleting';

-- What an account has: the bytes of its live objects, the references to them and to growing
-- ones, and the bytes that growing and pending objects may come to. quota_bytes and quota_files are the
-- account's own; NULL is the setting. forgotten is true while a deleted account's objects are
-- removed; it takes no content then.
CREATE TABLE content_usage (
    account     TEXT PRIMARY KEY,
    bytes       BIGINT NOT NULL,
    reserved    BIGINT NOT NULL,
    files       BIGINT NOT NULL,
    folders     BIGINT NOT NULL DEFAULT 0,
    quota_bytes BIGINT NULL,
    quota_files BIGINT NULL,
    forgotten   BOOLEAN NOT NULL
);
CREATE INDEX content_usage_forgotten ON content_usage (account) WHERE forgotten;
