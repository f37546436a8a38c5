-- +goose Up

-- A chart has each part once, also when two are made at the same time.
CREATE UNIQUE INDEX locks_part ON locks (org, chart, compartment) WHERE chart <> '';

-- +goose Down
DROP INDEX locks_part;
