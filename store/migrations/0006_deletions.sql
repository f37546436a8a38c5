-- +goose Up

-- Objects that no row names any more, by the beginning of their keys: what a sweep has yet to delete. Written together
-- with the deletion of the rows that named them.
CREATE TABLE object_deletions (
    prefix TEXT PRIMARY KEY,
    since  BIGINT NOT NULL -- in the future for what is on its way and may yet come to be named
);

-- +goose Down
DROP TABLE object_deletions;
