-- +goose Up

-- Visits that were booked together carry the id of the first. planned is when the time of a visit was last set.
ALTER TABLE visits ADD COLUMN series TEXT NOT NULL DEFAULT '';
ALTER TABLE visits ADD COLUMN planned BIGINT NOT NULL DEFAULT 0;

-- Whoever books holds the row of each person they book for, so that no two visits of one person are booked at once.
CREATE TABLE visit_diaries (
    org    TEXT NOT NULL,
    person TEXT NOT NULL,
    turn   BIGINT NOT NULL,
    PRIMARY KEY (org, person)
);

-- Who wants to be reminded, and how. Sealed under the server's secret key: they are of no use to who has only the disk.
CREATE TABLE reminders (
    org       TEXT NOT NULL,
    person    TEXT NOT NULL,
    language  TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    leads     TEXT NOT NULL,  -- how long before, in minutes, such as 1440,60
    email     BYTEA NOT NULL, -- sealed; empty: none
    PRIMARY KEY (org, person)
);

-- Browsers that show reminders.
CREATE TABLE push_subscriptions (
    org     TEXT NOT NULL,
    person  TEXT NOT NULL,
    browser TEXT NOT NULL,  -- its key, as sessions name it
    sealed  BYTEA NOT NULL, -- the address of its push service, and its keys
    PRIMARY KEY (org, person, browser)
);

-- That people were reminded of a visit, so that it is done once; a visit that moved is at another moment.
CREATE TABLE visit_reminders (
    org    TEXT NOT NULL,
    visit  TEXT NOT NULL,
    starts BIGINT NOT NULL,
    lead   BIGINT NOT NULL, -- minutes before
    PRIMARY KEY (org, visit, starts, lead)
);

-- What is to be sent, and who tries until when.
CREATE TABLE visit_letters (
    org     TEXT NOT NULL,
    letter  TEXT NOT NULL,
    visit   TEXT NOT NULL,
    person  TEXT NOT NULL,
    about   TEXT NOT NULL,   -- reminder, moved, cancelled, series, or first: that letters will come
    starts  BIGINT NOT NULL,
    browser TEXT NOT NULL,   -- that shows it; empty: by e-mail
    tries   BIGINT NOT NULL,
    after   BIGINT NOT NULL, -- not to be tried before
    PRIMARY KEY (org, letter)
);
CREATE INDEX visit_letters_after ON visit_letters (after);

-- +goose Down
DROP TABLE visit_letters;
DROP TABLE visit_reminders;
DROP TABLE push_subscriptions;
DROP TABLE reminders;
DROP TABLE visit_diaries;
ALTER TABLE visits DROP COLUMN planned;
ALTER TABLE visits DROP COLUMN series;
