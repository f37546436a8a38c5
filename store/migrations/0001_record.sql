-- +goose Up

-- What the server itself keeps secret (session keys and the like), sealed under a key that is not here.
CREATE TABLE server_secrets (
    name    TEXT PRIMARY KEY,
    sealed  BYTEA NOT NULL,
    created BIGINT NOT NULL
);

-- The record: what happened, in order, each event hashed onto the one before, for each organisation.
CREATE TABLE record_heads (
    org  TEXT PRIMARY KEY,
    seq  BIGINT NOT NULL,
    hash BYTEA NOT NULL
);

CREATE TABLE record_events (
    org     TEXT NOT NULL,
    seq     BIGINT NOT NULL,
    event   TEXT NOT NULL,
    time    BIGINT NOT NULL,
    action  TEXT NOT NULL,
    person  TEXT NOT NULL,
    chart   TEXT NOT NULL,
    body    BYTEA NOT NULL, -- the event as JSON, exactly as hashed
    hash    BYTEA NOT NULL,
    PRIMARY KEY (org, seq)
);
CREATE INDEX record_events_chart ON record_events (org, chart, seq);

-- +goose Down
DROP TABLE record_events;
DROP TABLE record_heads;
DROP TABLE server_secrets;
