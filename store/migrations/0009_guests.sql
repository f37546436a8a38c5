-- +goose Up

-- A link by which a guest may come to one visit, and who came with it. Kept while the visit lasts.
CREATE TABLE visit_guests (
    org     TEXT NOT NULL,
    visit   TEXT NOT NULL,
    guest   TEXT NOT NULL,  -- their id as a member
    inviter TEXT NOT NULL,
    text    BYTEA NOT NULL, -- ward/guest/1
    welcome BYTEA NOT NULL, -- who invites, sealed to the link
    state   TEXT NOT NULL,  -- open, used, withdrawn
    browser TEXT NOT NULL,  -- the key that it was used with; empty while it is open
    arrival BYTEA NOT NULL, -- ward/arrival/1
    hello   BYTEA NOT NULL, -- their name, sealed to the host
    created BIGINT NOT NULL,
    PRIMARY KEY (guest)
);
CREATE INDEX visit_guests_visit ON visit_guests (org, visit);

-- What a guest may do is what their one visit allows them.
CREATE TABLE guest_sessions (
    org     TEXT NOT NULL,
    visit   TEXT NOT NULL,
    guest   TEXT NOT NULL,
    token   TEXT NOT NULL UNIQUE, -- b64 SHA-256
    browser TEXT NOT NULL,
    until   BIGINT NOT NULL,
    PRIMARY KEY (guest)
);
CREATE INDEX guest_sessions_visit ON guest_sessions (org, visit);

-- Names of those in a visit, sealed for each other: the server knows none of them.
ALTER TABLE visit_members ADD COLUMN name BYTEA;  -- the member's
ALTER TABLE visit_members ADD COLUMN names BYTEA; -- the key of all names, sealed to the member
