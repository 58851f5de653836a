-- +goose Up
-- Links to entries of an account. token is the SHA-256 of the link's secret. details (the
-- secret, the note, the hash of the password, the endings of names that it takes) are sealed
-- under the account's data key and bind id, account, entry, kind, the bounds and created_at.
-- downloads, files, blocked, used_at and told_at change by themselves. blocked is the
-- operator's. told_at is when the owner was last mailed of files that came in.
CREATE TABLE shares (
    id             TEXT PRIMARY KEY,
    account        TEXT NOT NULL,
    entry          TEXT NOT NULL,
    kind           TEXT NOT NULL CHECK (kind IN ('read', 'request')),
    token          BLOB NOT NULL,
    details        BLOB NOT NULL,
    expires_at     BIGINT,
    max_downloads  BIGINT,
    downloads      BIGINT NOT NULL,
    max_files      BIGINT,
    files          BIGINT NOT NULL,
    max_file_bytes BIGINT,
    blocked        BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    used_at        BIGINT,
    told_at        BIGINT NOT NULL
);
CREATE UNIQUE INDEX shares_token ON shares (token);
CREATE INDEX shares_account ON shares (account, created_at, id);
CREATE INDEX shares_entry ON shares (account, entry, created_at, id);

-- What was done with links. details (action, path, place, device, sender) are sealed under
-- the account's data key and bind the other columns.
CREATE TABLE share_uses (
    id      TEXT PRIMARY KEY,
    share   TEXT NOT NULL,
    account TEXT NOT NULL,
    at      BIGINT NOT NULL,
    details BLOB NOT NULL
);
CREATE INDEX share_uses_share ON share_uses (share, at, id);
CREATE INDEX share_uses_account ON share_uses (account, id);
CREATE INDEX share_uses_at ON share_uses (at, id);

-- Downloads that were counted and may go on. ticket is the SHA-256 of what the browser has,
-- content an index of the entry and what it held. remaining is how many bytes may still be
-- sent before a request counts as another download.
CREATE TABLE share_downloads (
    ticket     BLOB NOT NULL,
    content    BLOB NOT NULL,
    share      TEXT NOT NULL,
    account    TEXT NOT NULL,
    remaining  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (ticket, content)
);
CREATE INDEX share_downloads_share ON share_downloads (share, expires_at);
CREATE INDEX share_downloads_account ON share_downloads (account);
CREATE INDEX share_downloads_expires ON share_downloads (expires_at);
