-- +goose Up
-- looked_at is when a walk that removes what this database does not know looked last, and steady_at since
-- when it has looked without a gap. A database from a backup has a gap, and a new one has just begun.
ALTER TABLE job_periods ADD COLUMN looked_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE job_periods ADD COLUMN steady_at BIGINT NOT NULL DEFAULT 0;
