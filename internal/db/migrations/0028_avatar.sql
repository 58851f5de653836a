-- +goose Up
-- proof is sealed under the account's data key and binds id, account and created_at. A row whose
-- proof does not open shows no picture. Pictures from before have none.
ALTER TABLE avatars ADD COLUMN proof BLOB;
