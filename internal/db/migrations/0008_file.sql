-- +goose Up
-- What an account keeps: a tree of folders and files. parent is '' at the root. name and
-- details (SHA-256, time of storing and media type of a file) are sealed under the account's
-- data key and bind every other column; name_index is a keyed hash of parent and name, so
-- that a name is taken once a folder.
-- height is how many levels the sub-tree of an entry has, itself included.
-- An entry in the trash has the trash's id as its parent. trashed_at is when it was deleted;
-- origin, sealed, is where it was.
-- change is the count of the account's lock row (folder '*') at the entry's last change.
CREATE TABLE files (
    id          TEXT PRIMARY KEY,
    account     TEXT NOT NULL,
    parent      TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('file', 'folder')),
    name        BLOB NOT NULL,
    name_index  BLOB NOT NULL,
    details     BLOB NOT NULL,
    blob        TEXT,
    size        BIGINT NOT NULL,
    height      BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    change      BIGINT NOT NULL,
    trashed_at  BIGINT,
    origin      BLOB
);
CREATE UNIQUE INDEX files_name ON files (account, parent, name_index);
CREATE INDEX files_created ON files (account, parent, created_at, id);
CREATE INDEX files_modified ON files (account, parent, modified_at, id);
CREATE INDEX files_size ON files (account, parent, size, id);
CREATE INDEX files_trash ON files (account, parent, trashed_at, id) WHERE trashed_at IS NOT NULL;
CREATE INDEX files_trashed ON files (trashed_at, account) WHERE trashed_at IS NOT NULL;
CREATE INDEX files_change ON files (account, change, id);
CREATE INDEX files_largest ON files (account, size, id) WHERE kind = 'file';
CREATE INDEX files_height ON files (account, parent, height) WHERE kind = 'folder';

-- How often the children of a folder changed. folder is '' for the root, and '*' for the
-- row that every change of an account's tree locks first.
CREATE TABLE file_folders (
    account TEXT NOT NULL,
    folder  TEXT NOT NULL,
    changes BIGINT NOT NULL,
    PRIMARY KEY (account, folder)
);

CREATE INDEX file_folders_lock ON file_folders (account) WHERE folder = '*';

-- The id of an account's trash, which is the parent of what its owner deleted. No entry has
-- it. An account gets a new one after each emptying.
CREATE TABLE file_trash (
    account TEXT PRIMARY KEY,
    folder  TEXT NOT NULL
);

-- Earlier contents of files. entry is the file. details (SHA-256 and media type) are sealed
-- under the account's data key and bind every other column.
CREATE TABLE file_versions (
    id          TEXT PRIMARY KEY,
    account     TEXT NOT NULL,
    entry       TEXT NOT NULL,
    blob        TEXT NOT NULL,
    size        BIGINT NOT NULL,
    details     BLOB NOT NULL,
    stored_at   BIGINT NOT NULL,
    replaced_at BIGINT NOT NULL
);
CREATE INDEX file_versions_entry ON file_versions (account, entry, replaced_at DESC, id DESC);
CREATE INDEX file_versions_age ON file_versions (replaced_at, account);

-- Entries that are deleted and whose children or versions are not removed yet. Their own rows
-- are gone from files, so nothing leads to what is below them. folder is the entry's id, the
-- id of an emptied trash, or '' for a whole account. 'copy ' and an id is the mark of a copy
-- under way, of which nothing remains unless its last transaction removes the mark.
CREATE TABLE file_gone (
    account TEXT NOT NULL,
    folder  TEXT NOT NULL,
    PRIMARY KEY (account, folder)
);

-- Thumbnails of pictures, by the object that has the picture: its entries and versions share
-- one. picture is a WebP, sealed under the account's data key and bound to the object; NULL is
-- content that is no picture.
CREATE TABLE thumbnails (
    account TEXT NOT NULL,
    blob    TEXT NOT NULL,
    picture BLOB NULL,
    PRIMARY KEY (account, blob)
);

-- How far the job that makes thumbnails has come in an account: the entries behind this change
-- and id are still to be looked at.
CREATE TABLE thumbnail_marks (
    account TEXT PRIMARY KEY,
    change  BIGINT NOT NULL,
    entry   TEXT NOT NULL
);
