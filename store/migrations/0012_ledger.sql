-- +goose Up

-- An organisation's log: an RFC 6962 tree of commitments.
CREATE TABLE ledger_logs (
    org      TEXT PRIMARY KEY,
    size     BIGINT NOT NULL, -- leaves
    events   BIGINT NOT NULL, -- of which are events: their sequence
    frontier BYTEA,           -- hashes of the whole subtrees that the tree is made of, largest first
    newest   BYTEA,           -- commitment of the last event
    marks    BYTEA,           -- the key of the record's marks
    salt     BYTEA,           -- of the labels of its people, and of first marks
    filled   BIGINT NOT NULL  -- 0 while rows from before there was a log wait for their leaves
);

-- The events that name a chart: how many, the commitment of the last, and the key of their marks.
CREATE TABLE ledger_charts (
    org    TEXT NOT NULL,
    chart  TEXT NOT NULL,
    number BIGINT NOT NULL,
    newest BYTEA NOT NULL,
    marks  BYTEA NOT NULL,
    PRIMARY KEY (org, chart)
);

CREATE TABLE ledger_leaves (
    org        TEXT NOT NULL,
    idx        BIGINT NOT NULL,
    kind       TEXT NOT NULL,
    ref        TEXT NOT NULL, -- what it speaks of; '' once that is erased
    seq        BIGINT NOT NULL, -- of an event, its place in the record; else 0
    salt       BYTEA,           -- NULL once that is erased
    commitment BYTEA NOT NULL,  -- and two marks
    PRIMARY KEY (org, idx)
);
CREATE INDEX ledger_leaves_ref ON ledger_leaves (org, ref);

-- Tiles of 256 hashes (C2SP tlog-tiles): those of level 0 once they are full, those above as they grow.
CREATE TABLE ledger_tiles (
    org    TEXT NOT NULL,
    level  BIGINT NOT NULL,
    tile   BIGINT NOT NULL,
    hashes BYTEA NOT NULL,
    PRIMARY KEY (org, level, tile)
);

-- Heads that the chain agreed.
CREATE TABLE ledger_finals (
    org    TEXT NOT NULL,
    size   BIGINT NOT NULL,
    root   BYTEA NOT NULL,
    height BIGINT NOT NULL,
    block  BYTEA NOT NULL, -- ledger/receipt.Block
    time   BIGINT NOT NULL,
    PRIMARY KEY (org, size)
);

-- Cards on their way to their person's line on the chain, and there.
CREATE TABLE ledger_links (
    org      TEXT NOT NULL,
    person   TEXT NOT NULL,
    serial   BIGINT NOT NULL, -- of the card
    previous BYTEA NOT NULL,
    value    BYTEA NOT NULL,
    state    TEXT NOT NULL,   -- waiting, agreed, refused
    PRIMARY KEY (org, person, serial)
);
CREATE INDEX ledger_links_state ON ledger_links (org, state);

-- What an officer must know. One of a kind is open at a time.
CREATE TABLE ledger_alarms (
    org   TEXT NOT NULL,
    kind  TEXT NOT NULL,
    since BIGINT NOT NULL,
    text  TEXT NOT NULL,
    ended BIGINT NOT NULL, -- 0 while open
    PRIMARY KEY (org, kind, since)
);

-- Which process sends an organisation's log to the chain.
CREATE TABLE ledger_pumps (
    org   TEXT PRIMARY KEY,
    pump  TEXT NOT NULL,
    until BIGINT NOT NULL
);

-- The tree takes the place of hashing each event onto the one before.
INSERT INTO ledger_logs (org, size, events, filled) SELECT org, 0, seq, 0 FROM record_heads;
DROP TABLE record_heads;
ALTER TABLE record_events DROP COLUMN hash;

-- +goose Down
CREATE TABLE record_heads (
    org  TEXT PRIMARY KEY,
    seq  BIGINT NOT NULL,
    hash BYTEA NOT NULL
);
INSERT INTO record_heads (org, seq, hash) SELECT org, events, frontier FROM ledger_logs WHERE frontier IS NOT NULL;
ALTER TABLE record_events ADD COLUMN hash BYTEA;
DROP TABLE ledger_pumps;
DROP TABLE ledger_alarms;
DROP TABLE ledger_links;
DROP TABLE ledger_finals;
DROP TABLE ledger_tiles;
DROP TABLE ledger_leaves;
DROP TABLE ledger_charts;
DROP TABLE ledger_logs;
