-- +goose Up
-- The remembered device that a session was opened from, so that who ends the session from
-- the list also ends what the device is spared.
ALTER TABLE sessions ADD COLUMN device BLOB;
CREATE INDEX devices_account ON devices (account);
