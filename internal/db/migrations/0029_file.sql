-- +goose Up
-- An account's old versions are found without those of others: a batch costs the same however many
-- versions the other accounts have.
CREATE INDEX file_versions_old ON file_versions (account, replaced_at);
