-- +goose Up

-- Rooms of the media server are called as their visits, so no clinic's visit has the id of another's.
CREATE UNIQUE INDEX visits_visit ON visits (visit);

-- When a person gave an e-mail address for reminders, for a day: each has a letter sent to it.
CREATE TABLE reminder_addresses (
    org    TEXT NOT NULL,
    person TEXT NOT NULL,
    given  BIGINT NOT NULL
);
CREATE INDEX reminder_addresses_person ON reminder_addresses (org, person, given);

-- +goose Down
DROP TABLE reminder_addresses;
DROP INDEX visits_visit;
