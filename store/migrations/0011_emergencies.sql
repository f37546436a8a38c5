-- +goose Up

-- Whether it was not told yet that an emergency is over. Of those from before nobody is told any more.
ALTER TABLE break_glass ADD COLUMN running BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE break_glass DROP COLUMN running;
