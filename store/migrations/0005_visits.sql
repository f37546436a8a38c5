-- +goose Up

-- A consultation by video: who, when, and how far it is. What it is about is sealed in the chart.
CREATE TABLE visits (
    org        TEXT NOT NULL,
    visit      TEXT NOT NULL,
    chart      TEXT NOT NULL,
    patient    TEXT NOT NULL,
    host       TEXT NOT NULL,   -- the clinician who runs it
    starts     BIGINT NOT NULL,
    ends       BIGINT NOT NULL,
    state      TEXT NOT NULL,   -- booked, open, ended, cancelled
    late       BIGINT NOT NULL, -- minutes that the host is late, as they say
    epoch      BIGINT NOT NULL, -- of the MLS group, -1 before there is one
    group_info BYTEA NOT NULL,  -- of that epoch, for who joins again
    created    BIGINT NOT NULL,
    PRIMARY KEY (org, visit)
);
CREATE INDEX visits_host ON visits (org, host, starts);
CREATE INDEX visits_patient ON visits (org, patient, starts);
CREATE INDEX visits_chart ON visits (org, chart, starts);

-- Who came to the door, and who was let in.
CREATE TABLE visit_members (
    org          TEXT NOT NULL,
    visit        TEXT NOT NULL,
    member       TEXT NOT NULL,
    state        TEXT NOT NULL,   -- waiting, admitted, left, removed
    since        BIGINT NOT NULL, -- in this state
    admission    BYTEA NOT NULL,  -- ward/admission/1; empty while waiting
    said         BIGINT NOT NULL DEFAULT 0, -- messages of theirs in this visit, and their bytes
    said_bytes   BIGINT NOT NULL DEFAULT 0,
    commits      BIGINT NOT NULL DEFAULT 0, -- and commits
    commit_bytes BIGINT NOT NULL DEFAULT 0,
    earned       BIGINT NOT NULL DEFAULT 0, -- until when what they said is paid for
    PRIMARY KEY (org, visit, member)
);

-- What the members' groups say to each other, sealed by MLS, in order. Kept while the visit lasts.
CREATE TABLE visit_messages (
    org     TEXT NOT NULL,
    visit   TEXT NOT NULL,
    seq     BIGINT NOT NULL,
    epoch   BIGINT NOT NULL,
    kind    TEXT NOT NULL, -- commit, application
    sender  TEXT NOT NULL,
    body    BYTEA NOT NULL,
    PRIMARY KEY (org, visit, seq)
);

-- When a clinician sees people by video.
CREATE TABLE availability (
    org    TEXT NOT NULL,
    person TEXT NOT NULL,
    rules  BYTEA NOT NULL, -- JSON
    PRIMARY KEY (org, person)
);

-- The secret address of a person's calendar.
CREATE TABLE visit_feeds (
    org        TEXT NOT NULL,
    person     TEXT NOT NULL,
    token_hash TEXT NOT NULL,
    language   TEXT NOT NULL,
    PRIMARY KEY (org, person)
);
CREATE UNIQUE INDEX visit_feeds_token ON visit_feeds (token_hash);
