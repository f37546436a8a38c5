-- +goose Up

-- A patient's chart: whose it is. What is in it is in its locks.
CREATE TABLE charts (
    org     TEXT NOT NULL,
    chart   TEXT NOT NULL,
    person  TEXT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (org, chart)
);
CREATE INDEX charts_person ON charts (org, person);

-- A key pair in epochs, and where its chain of entries stands.
CREATE TABLE locks (
    org         TEXT NOT NULL,
    lock        TEXT NOT NULL,
    kind        TEXT NOT NULL,
    chart       TEXT NOT NULL, -- '' unless kind is chart
    compartment TEXT NOT NULL,
    epoch       BIGINT NOT NULL,
    seq         BIGINT NOT NULL,
    chain       TEXT NOT NULL,
    created     BIGINT NOT NULL,
    PRIMARY KEY (org, lock)
);
CREATE INDEX locks_chart ON locks (org, chart);

CREATE TABLE epochs (
    org     TEXT NOT NULL,
    lock    TEXT NOT NULL,
    epoch   BIGINT NOT NULL,
    text    BYTEA NOT NULL, -- ward/epoch/1
    history BYTEA NOT NULL, -- sealed; empty for the first
    PRIMARY KEY (org, lock, epoch)
);

CREATE TABLE grants (
    org          TEXT NOT NULL,
    id           TEXT NOT NULL,
    lock         TEXT NOT NULL,
    epoch        BIGINT NOT NULL,
    person       TEXT NOT NULL, -- to a person, or ''
    card         TEXT NOT NULL,
    holder       TEXT NOT NULL, -- to a lock, or ''
    holder_epoch BIGINT NOT NULL,
    purpose      TEXT NOT NULL,
    until        BIGINT NOT NULL, -- 0 for no end
    text         BYTEA NOT NULL,  -- ward/grant/1
    sealed       BYTEA NOT NULL,
    created      BIGINT NOT NULL,
    ended        BIGINT NOT NULL, -- 0 while it stands
    ended_by     TEXT NOT NULL,
    outdated     BIGINT NOT NULL DEFAULT 0, -- 1 once its person has other keys: the lock is due
    turns        BIGINT NOT NULL, -- 1 if its end asks for a new epoch, 0 if another grant took its place
    PRIMARY KEY (org, id)
);
CREATE INDEX grants_lock ON grants (org, lock);
CREATE INDEX grants_person ON grants (org, person);
CREATE INDEX grants_holder ON grants (org, holder);

CREATE TABLE entries (
    org     TEXT NOT NULL,
    lock    TEXT NOT NULL,
    seq     BIGINT NOT NULL,
    entry   TEXT NOT NULL,
    kind    TEXT NOT NULL,
    author  TEXT NOT NULL,
    text    BYTEA NOT NULL, -- ward/entry/1
    sealed  BYTEA,          -- NULL if it is an object
    upload  TEXT NOT NULL,  -- the object, or ''
    size    BIGINT NOT NULL,
    chain   TEXT NOT NULL,  -- of the lock, after this entry
    created BIGINT NOT NULL,
    PRIMARY KEY (org, lock, seq)
);
CREATE UNIQUE INDEX entries_entry ON entries (org, entry);
CREATE INDEX entries_persons ON entries (org, lock, author, created) WHERE kind = 'person'; -- how often someone changed their details

-- A large sealed file on its way in, and then the list of its parts.
CREATE TABLE uploads (
    org     TEXT NOT NULL,
    upload  TEXT NOT NULL,
    lock    TEXT NOT NULL,
    person  TEXT NOT NULL,
    parts   BIGINT NOT NULL,
    size    BIGINT NOT NULL,
    state   BYTEA NOT NULL, -- SHA-256 so far, as Go marshals it
    head    BYTEA NOT NULL, -- the first bytes, where age's header is
    entry   TEXT NOT NULL,  -- once it belongs to one
    touched BIGINT NOT NULL,
    PRIMARY KEY (org, upload)
);
CREATE INDEX uploads_lock ON uploads (org, lock);
CREATE INDEX uploads_person ON uploads (org, person, touched);

CREATE TABLE upload_parts (
    org    TEXT NOT NULL,
    upload TEXT NOT NULL,
    part   BIGINT NOT NULL,
    size   BIGINT NOT NULL,
    object TEXT NOT NULL, -- the attempt that counts
    PRIMARY KEY (org, upload, part)
);

CREATE TABLE break_glass (
    org    TEXT NOT NULL,
    chart  TEXT NOT NULL,
    person TEXT NOT NULL,
    code   TEXT NOT NULL,
    began  BIGINT NOT NULL,
    until  BIGINT NOT NULL,
    epochs TEXT NOT NULL, -- "lock:epoch" of each lock that was opened, which must turn
    PRIMARY KEY (org, chart, person, began)
);

-- +goose Down
DROP TABLE break_glass;
DROP TABLE upload_parts;
DROP TABLE uploads;
DROP TABLE entries;
DROP TABLE grants;
DROP TABLE epochs;
DROP TABLE locks;
DROP TABLE charts;
