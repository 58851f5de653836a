-- +goose Up
-- proof of a pin is sealed under the account's data key and says what cid, total, framed, size, kind,
-- encrypt, announced, entries and created_at are, and which blocks the pin has. proof of a target says
-- which of its states were reached, and when. From here on pin_blocks.bytes are sealed too. Rows from
-- before have no seal, and count as damaged.
ALTER TABLE pins ADD COLUMN proof BLOB;
ALTER TABLE pin_targets ADD COLUMN proof BLOB;

-- Files and blocks without a pin: of one that is being made, until due_at, or that was removed. 0 says
-- that they go, whatever its maker does.
CREATE TABLE pin_loose (
    pin     TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    due_at  BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX pin_loose_account ON pin_loose (account, pin);
CREATE INDEX pin_loose_due ON pin_loose (due_at, pin);
