-- +goose Up
-- What an account keeps: a tree of folders and files. parent is '' at the root. name and
-- details (SHA-256, time of storing and media type of a file) are sealed under the account's
-- data key and bind every other column; name_index is a keyed hash of parent and name, so
-- that a name is taken once a folder.
-- height is how many levels the sub-tree of an entry has, itself included.
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
    change      BIGINT NOT NULL
);
CREATE UNIQUE INDEX files_name ON files (account, parent, name_index);
CREATE INDEX files_created ON files (account, parent, created_at, id);
CREATE INDEX files_modified ON files (account, parent, modified_at, id);
CREATE INDEX files_size ON files (account, parent, size, id);
CREATE INDEX files_change ON files (account, change);
CREATE INDEX files_height ON files (account, parent, height) WHERE kind = 'folder';

-- How often the children of a folder changed. folder is '' for the root, and '*' for the
-- row that every change of an account's tree locks first.
CREATE TABLE file_folders (
    account TEXT NOT NULL,
    folder  TEXT NOT NULL,
    changes BIGINT NOT NULL,
    PRIMARY KEY (account, folder)
);

-- Folders that are deleted and whose children are not removed yet. Their own rows are gone
-- from files, so nothing leads to what is below them. folder is '' for a whole account.
CREATE TABLE file_gone (
    account TEXT NOT NULL,
    folder  TEXT NOT NULL,
    PRIMARY KEY (account, folder)
);
