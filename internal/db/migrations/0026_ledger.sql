-- +goose Up
-- In SQLite a table whose key is no INTEGER lies beside an index of the key, so each row was written
-- twice. On PostgreSQL a node of the version before may append meanwhile.
-- postgres: LOCK TABLE ledger_state, ledger_entries, ledger_owners IN ACCESS EXCLUSIVE MODE;
CREATE TABLE ledger_entries_new (
    n          BIGINT PRIMARY KEY,
    at         BIGINT NOT NULL,
    kind       TEXT   NOT NULL,
    cid        TEXT   NOT NULL,
    size       BIGINT NOT NULL,
    digest     BLOB   NOT NULL,
    commitment BLOB   NOT NULL
) WITHOUT ROWID;
INSERT INTO ledger_entries_new SELECT n, at, kind, cid, size, digest, commitment FROM ledger_entries ORDER BY n;
DROP TABLE ledger_entries;
ALTER TABLE ledger_entries_new RENAME TO ledger_entries;

CREATE TABLE ledger_owners_new (
    account TEXT   NOT NULL,
    n       BIGINT NOT NULL,
    PRIMARY KEY (account, n)
) WITHOUT ROWID;
INSERT INTO ledger_owners_new SELECT account, n FROM ledger_owners ORDER BY account, n;
DROP TABLE ledger_owners;
ALTER TABLE ledger_owners_new RENAME TO ledger_owners;
