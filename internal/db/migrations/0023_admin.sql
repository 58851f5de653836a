-- +goose Up
-- What admins did, and what the server found. entry is sealed to its number. mac binds number,
-- time and entry to the mac of the row before.
CREATE TABLE admin_log (
    seq   BIGINT PRIMARY KEY,
    at    BIGINT NOT NULL,
    entry BLOB NOT NULL,
    mac   BLOB NOT NULL
);

-- Where the log begins and ends: seq and mac are those of the newest row, base_seq and base_mac
-- those of the row before the oldest. seal is a MAC over the four. secret is the key of the
-- log, sealed under the field key.
CREATE TABLE admin_log_head (
    id       BIGINT PRIMARY KEY CHECK (id = 1),
    secret   BLOB NOT NULL,
    seq      BIGINT NOT NULL,
    mac      BLOB NOT NULL,
    base_seq BIGINT NOT NULL,
    base_mac BLOB NOT NULL,
    seal     BLOB NOT NULL
);
