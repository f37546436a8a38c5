-- +goose Up

CREATE TABLE orgs (
    org     TEXT PRIMARY KEY,
    name    TEXT NOT NULL,
    clinic  BYTEA NOT NULL, -- ward/clinic/1; empty until founded
    created BIGINT NOT NULL
);

-- Who is who: the chains of signed statements. The tables persons and cards say again what follows from them.
CREATE TABLE membership (
    org   TEXT NOT NULL,
    chain TEXT NOT NULL, -- the roster: the org; a thread: its person
    seq   BIGINT NOT NULL,
    text  BYTEA NOT NULL,
    PRIMARY KEY (org, chain, seq)
);

CREATE TABLE persons (
    org     TEXT NOT NULL,
    person  TEXT NOT NULL,
    roles   TEXT NOT NULL,   -- words joined by spaces
    ended   BIGINT NOT NULL, -- 0 while active
    created BIGINT NOT NULL,
    PRIMARY KEY (org, person)
);

CREATE TABLE cards (
    org       TEXT NOT NULL,
    person    TEXT NOT NULL,
    hash      TEXT NOT NULL,
    chain     TEXT NOT NULL,
    serial    BIGINT NOT NULL,
    text      BYTEA NOT NULL,  -- ward/card/2
    recipient TEXT NOT NULL,
    pending   BIGINT NOT NULL, -- 1 while it does not count yet
    PRIMARY KEY (org, person, hash)
);
CREATE INDEX cards_pending ON cards (org, chain, pending);

CREATE TABLE browsers (
    org    TEXT NOT NULL,
    person TEXT NOT NULL,
    key    TEXT NOT NULL,
    card   TEXT NOT NULL,
    text   BYTEA NOT NULL, -- ward/browser/1
    PRIMARY KEY (org, person, key)
);

-- Sealed to the person; the server opens neither copy. While a card after lost keys waits, the one before has its own.
CREATE TABLE keyrings (
    org      TEXT NOT NULL,
    person   TEXT NOT NULL,
    card     TEXT NOT NULL, -- whose keys are in it
    version  BIGINT NOT NULL,
    keyring  BYTEA NOT NULL,
    recovery BYTEA NOT NULL,
    PRIMARY KEY (org, person, card)
);

CREATE TABLE recovery_keys (
    org        TEXT NOT NULL,
    person     TEXT NOT NULL,
    card       TEXT NOT NULL,
    lookup     TEXT NOT NULL UNIQUE,
    token_hash TEXT NOT NULL,
    attempts   BIGINT NOT NULL,
    PRIMARY KEY (org, person, card)
);

CREATE TABLE passkeys (
    org        TEXT NOT NULL,
    passkey    TEXT NOT NULL,
    person     TEXT NOT NULL,
    card       TEXT NOT NULL,        -- whose keyring it opens
    credential TEXT NOT NULL UNIQUE, -- WebAuthn credential id, b64
    record     BYTEA NOT NULL,       -- public key, flags, counter, as JSON
    created    BIGINT NOT NULL,
    used       BIGINT NOT NULL,
    PRIMARY KEY (org, passkey)
);
CREATE INDEX passkeys_person ON passkeys (org, person);

CREATE TABLE ceremonies (
    ceremony TEXT PRIMARY KEY,
    purpose  TEXT NOT NULL,
    org      TEXT NOT NULL,
    person   TEXT NOT NULL,
    session  BYTEA NOT NULL, -- challenge and what goes with it, as JSON
    expires  BIGINT NOT NULL
);

CREATE TABLE invitations (
    org        TEXT NOT NULL,
    invitation TEXT NOT NULL UNIQUE,
    person     TEXT NOT NULL,
    roles      TEXT NOT NULL,
    chart      TEXT NOT NULL,
    recover    BIGINT NOT NULL,
    founding   BIGINT NOT NULL,
    by_person  TEXT NOT NULL,
    token_hash TEXT NOT NULL,
    attempts   BIGINT NOT NULL,
    welcome    BYTEA NOT NULL,
    state      TEXT NOT NULL,
    sent       BIGINT NOT NULL,
    hash       TEXT NOT NULL, -- of the ward/invite/1
    created    BIGINT NOT NULL,
    until      BIGINT NOT NULL,
    PRIMARY KEY (org, invitation)
);

CREATE TABLE sessions (
    org     TEXT NOT NULL,
    session TEXT NOT NULL,
    person  TEXT NOT NULL,
    token   TEXT NOT NULL UNIQUE, -- b64 SHA-256
    card    TEXT NOT NULL,        -- whose keys it works with
    browser TEXT NOT NULL,
    agent   TEXT NOT NULL,
    share   BYTEA NOT NULL,       -- sealed under the server's key
    idle    BIGINT NOT NULL,      -- milliseconds
    started BIGINT NOT NULL,
    used    BIGINT NOT NULL,
    until   BIGINT NOT NULL,
    touched BIGINT NOT NULL,      -- when the person last touched a passkey
    PRIMARY KEY (org, session)
);
CREATE INDEX sessions_person ON sessions (org, person);

-- Ids of proofs that were used, until their nonce is too old to be used again.
CREATE TABLE proofs (
    jti     TEXT PRIMARY KEY,
    expires BIGINT NOT NULL
);
CREATE INDEX proofs_expires ON proofs (expires);

-- +goose Down
DROP TABLE proofs;
DROP TABLE sessions;
DROP TABLE invitations;
DROP TABLE ceremonies;
DROP TABLE passkeys;
DROP TABLE recovery_keys;
DROP TABLE keyrings;
DROP TABLE browsers;
DROP TABLE cards;
DROP TABLE persons;
DROP TABLE membership;
DROP TABLE orgs;
