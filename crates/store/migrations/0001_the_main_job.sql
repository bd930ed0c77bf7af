-- One text for SQLite and PostgreSQL: ids are text, times are milliseconds, hashes are hexadecimal.

CREATE TABLE ledger_head (
    id BIGINT PRIMARY KEY,
    turn BIGINT NOT NULL,
    size BIGINT NOT NULL,
    frontier TEXT NOT NULL,
    checkpoint TEXT NOT NULL
);
INSERT INTO ledger_head (id, turn, size, frontier, checkpoint) VALUES (1, 0, 0, '', '');

CREATE TABLE ledger_entry (
    idx BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    leaf TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX ledger_entry_subject ON ledger_entry (subject, idx);

CREATE TABLE ledger_tile (
    level BIGINT NOT NULL,
    idx BIGINT NOT NULL,
    hashes TEXT NOT NULL,
    PRIMARY KEY (level, idx)
);

CREATE TABLE ledger_checkpoint (size BIGINT PRIMARY KEY, note TEXT NOT NULL);

CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE person (id TEXT PRIMARY KEY, name TEXT NOT NULL, created_at BIGINT NOT NULL);

CREATE INDEX person_name ON person (name);

CREATE TABLE enrolment_code (
    digest TEXT PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES person (id),
    owner TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    device_id TEXT
);

CREATE TABLE device (
    id TEXT PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES person (id),
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    public_key TEXT NOT NULL UNIQUE,
    machine TEXT NOT NULL,
    enrolled_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX device_machine ON device (machine);

-- What lists show, by what they are sorted and filtered by. Written when a judgement changes.
CREATE TABLE device_standing (
    device_id TEXT PRIMARY KEY,
    search TEXT NOT NULL,
    system TEXT NOT NULL,
    standing TEXT NOT NULL,
    standing_since BIGINT NOT NULL,
    deadline BIGINT
);
CREATE INDEX device_standing_search ON device_standing (search, device_id);
CREATE INDEX device_standing_standing ON device_standing (standing, search, device_id);
CREATE INDEX device_standing_deadline ON device_standing (deadline) WHERE deadline IS NOT NULL;

-- The hot row: written at every check-in, so it holds nothing else.
CREATE TABLE device_state (
    device_id TEXT PRIMARY KEY,
    seq BIGINT NOT NULL,
    prev_seq BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    message TEXT NOT NULL
);

-- The last sealed report, whole. Written when the facts change.
CREATE TABLE device_report (
    device_id TEXT PRIMARY KEY,
    seq BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    digest TEXT NOT NULL,
    facts_digest TEXT NOT NULL,
    pack TEXT NOT NULL,
    pack_digest TEXT NOT NULL,
    envelope TEXT NOT NULL
);

CREATE TABLE finding (
    device_id TEXT NOT NULL,
    rule TEXT NOT NULL,
    outcome TEXT NOT NULL,
    observed TEXT NOT NULL,
    origin TEXT NOT NULL,
    at BIGINT NOT NULL,
    since BIGINT NOT NULL,
    failing_since BIGINT,
    PRIMARY KEY (device_id, rule)
);
CREATE INDEX finding_against ON finding (rule, failing_since, device_id) WHERE failing_since IS NOT NULL;

CREATE TABLE standing_change (
    device_id TEXT NOT NULL,
    entry BIGINT NOT NULL,
    at BIGINT NOT NULL,
    standing TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (device_id, entry)
);

-- Numbers that pages show at once, kept in the transaction that changes them.
CREATE TABLE tally (name TEXT PRIMARY KEY, n BIGINT NOT NULL);
CREATE TABLE tally_day (
    day BIGINT NOT NULL,
    name TEXT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (day, name)
);

CREATE TABLE sign_in_link (
    digest TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

CREATE TABLE session (
    digest TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used BIGINT NOT NULL,
    ended_at BIGINT
);
