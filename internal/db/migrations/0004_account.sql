-- +goose Up
-- Who exists. Everything personal is sealed under the account's data key. An index is a
-- keyed hash: the server finds a person by it, and a reader of the table does not.
CREATE TABLE accounts (
    id             TEXT PRIMARY KEY,
    status         TEXT NOT NULL,
    ver            BIGINT NOT NULL,
    role           TEXT NOT NULL,
    lang           TEXT NOT NULL,
    standing       BLOB NOT NULL, -- status, ver, role and the layers that are on, sealed: what they are believed for
    username_index BLOB NOT NULL,
    username       BLOB NOT NULL,
    first_name     BLOB NOT NULL,
    last_name      BLOB NOT NULL,
    bio            BLOB NOT NULL,
    password       BLOB NOT NULL,
    created_at     BIGINT NOT NULL,
    sign_ins       BIGINT NOT NULL,
    signed_in_at   BIGINT,
    signed_in_before_at BIGINT
);
CREATE UNIQUE INDEX accounts_username ON accounts (username_index);
CREATE INDEX accounts_admins ON accounts (id) WHERE role = 'admin';
CREATE INDEX accounts_deleting ON accounts (id) WHERE status = 'deleting';

-- Where the server reaches an account: one address of each kind. email is sealed to the
-- account, the kind and verified_at. An account signs in with its primary address, and no
-- two accounts have the same one.
CREATE TABLE addresses (
    account     TEXT NOT NULL,
    kind        TEXT NOT NULL,
    email       BLOB NOT NULL,
    email_index BLOB,
    verified_at BIGINT,
    PRIMARY KEY (account, kind),
    CHECK ((kind = 'primary') = (email_index IS NOT NULL))
);
CREATE UNIQUE INDEX addresses_email ON addresses (email_index);

-- One data key for each account, wrapped. Deleting the row shreds the account.
CREATE TABLE account_keys (
    account TEXT PRIMARY KEY,
    wrapped BLOB NOT NULL
);

-- Sign-ups whose address is not proven. Several of one address wait side by side: source
-- is a keyed hash of where one came from, and bounds how many each source keeps waiting.
-- belonging is a keyed digest of the token that its applicant was given. The sealed columns
-- but email are those of accounts, under the same key and row id, and move there as they are. A used
-- row keeps its proofs until it expires, to answer a second use.
CREATE TABLE sign_ups (
    id              TEXT PRIMARY KEY,
    email_index     BLOB NOT NULL,
    source          BLOB NOT NULL,
    belonging       BLOB NOT NULL,
    wrapped         BLOB NOT NULL,
    lang            TEXT NOT NULL,
    email           BLOB NOT NULL,
    username        BLOB NOT NULL,
    first_name      BLOB NOT NULL,
    last_name       BLOB NOT NULL,
    password        BLOB NOT NULL,
    expires_at      BIGINT NOT NULL,
    used_at         BIGINT
);
CREATE INDEX sign_ups_email ON sign_ups (email_index);
CREATE INDEX sign_ups_expires ON sign_ups (expires_at);

-- What was mailed for a sign-up: a digest of the link's token to find it by, a keyed digest
-- of token and sign-up, which nobody writes without the key, and a keyed digest of the
-- code. One mail is one row, so that a further mail need not void an earlier one.
CREATE TABLE sign_up_proofs (
    token           BLOB PRIMARY KEY,
    sign_up         TEXT NOT NULL,
    link            BLOB NOT NULL,
    code            BLOB NOT NULL,
    code_expires_at BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL
);
CREATE INDEX sign_up_proofs_sign_up ON sign_up_proofs (sign_up);
CREATE INDEX sign_up_proofs_expires ON sign_up_proofs (expires_at);

-- Links that were mailed to an account and are not used yet. token is a digest. data is
-- sealed under the account's data key and binds the other columns. A link that stays is
-- good even after all sessions of its account were ended.
CREATE TABLE links (
    token      BLOB PRIMARY KEY,
    account    TEXT NOT NULL,
    purpose    TEXT NOT NULL,
    stays      BOOLEAN NOT NULL,
    data       BLOB NOT NULL,
    made_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX links_account ON links (account, purpose, made_at);
CREATE INDEX links_expires ON links (expires_at);

-- The one-time link of the first admin: one row while there is no admin.
CREATE TABLE first_admin (
    id    BIGINT PRIMARY KEY CHECK (id = 1),
    token BLOB NOT NULL
);
