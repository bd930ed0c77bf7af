-- People, units, roles, and how people sign in. Secrets are kept as digests, or sealed with a key that
-- is not in the store.

CREATE TABLE unit (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    parent_id TEXT REFERENCES unit (id),
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX unit_name ON unit (parent_id, name);

-- Every unit with itself and all that are above it.
CREATE TABLE unit_above (
    unit_id TEXT NOT NULL,
    above_id TEXT NOT NULL,
    distance BIGINT NOT NULL,
    PRIMARY KEY (unit_id, above_id)
);
CREATE INDEX unit_above_above ON unit_above (above_id, unit_id);

INSERT INTO unit (id, name, parent_id, created_at)
    VALUES ('00000000-0000-7000-8000-000000000001', 'The organisation', NULL, 0);
INSERT INTO unit_above (unit_id, above_id, distance)
    VALUES ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000001', 0);

ALTER TABLE person ADD COLUMN email TEXT;
ALTER TABLE person ADD COLUMN staff_number TEXT;
ALTER TABLE person ADD COLUMN unit_id TEXT NOT NULL DEFAULT '00000000-0000-7000-8000-000000000001';
ALTER TABLE person ADD COLUMN manager_id TEXT;
ALTER TABLE person ADD COLUMN state TEXT NOT NULL DEFAULT 'active';
ALTER TABLE person ADD COLUMN state_since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE person ADD COLUMN last_day BIGINT;
ALTER TABLE person ADD COLUMN language TEXT NOT NULL DEFAULT '';
ALTER TABLE person ADD COLUMN zone TEXT NOT NULL DEFAULT '';
ALTER TABLE person ADD COLUMN search TEXT NOT NULL DEFAULT '';
ALTER TABLE person ADD COLUMN erased_at BIGINT;
UPDATE person SET state_since = created_at, search = LOWER(name);
CREATE UNIQUE INDEX person_email ON person (email);
CREATE UNIQUE INDEX person_staff_number ON person (staff_number);
CREATE INDEX person_search ON person (search, id);
CREATE INDEX person_unit ON person (unit_id, search, id);
CREATE INDEX person_manager ON person (manager_id);
CREATE INDEX person_last_day ON person (last_day) WHERE last_day IS NOT NULL;
CREATE INDEX person_gone ON person (state_since) WHERE state = 'gone' AND erased_at IS NULL;
CREATE INDEX device_person ON device (person_id);
CREATE INDEX enrolment_code_person ON enrolment_code (person_id);

CREATE TABLE role_grant (
    person_id TEXT NOT NULL REFERENCES person (id),
    role TEXT NOT NULL,
    unit_id TEXT NOT NULL REFERENCES unit (id),
    granted_at BIGINT NOT NULL,
    PRIMARY KEY (person_id, role, unit_id)
);
CREATE INDEX role_grant_unit ON role_grant (unit_id);

-- What somebody who leaves gives back or loses, each with the time by which.
CREATE TABLE clear_out (
    person_id TEXT NOT NULL REFERENCES person (id),
    kind TEXT NOT NULL,
    object TEXT NOT NULL,
    label TEXT NOT NULL,
    due BIGINT NOT NULL,
    done_at BIGINT,
    PRIMARY KEY (person_id, kind, object)
);
CREATE INDEX clear_out_open ON clear_out (due, person_id) WHERE done_at IS NULL;

DROP TABLE sign_in_link;
DROP TABLE session;

CREATE TABLE one_time_link (
    digest TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    person_id TEXT NOT NULL REFERENCES person (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX one_time_link_person ON one_time_link (person_id);

CREATE TABLE session (
    id TEXT PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    person_id TEXT NOT NULL REFERENCES person (id),
    method TEXT NOT NULL,
    browser TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used BIGINT NOT NULL,
    proved_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX session_person ON session (person_id, created_at);
CREATE INDEX session_created ON session (created_at);

CREATE TABLE password (
    person_id TEXT PRIMARY KEY REFERENCES person (id),
    hash TEXT NOT NULL,
    -- 1 when it is too short to stand without a second factor.
    short BIGINT NOT NULL,
    set_at BIGINT NOT NULL
);

CREATE TABLE authenticator (
    person_id TEXT PRIMARY KEY REFERENCES person (id),
    secret TEXT NOT NULL,
    begun_at BIGINT NOT NULL,
    confirmed_at BIGINT,
    last_step BIGINT NOT NULL
);

CREATE TABLE recovery_code (
    digest TEXT PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES person (id),
    created_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX recovery_code_person ON recovery_code (person_id);

CREATE TABLE passkey (
    id TEXT PRIMARY KEY,
    credential TEXT NOT NULL UNIQUE,
    person_id TEXT NOT NULL REFERENCES person (id),
    name TEXT NOT NULL,
    passkey TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used BIGINT
);
CREATE INDEX passkey_person ON passkey (person_id);

CREATE TABLE outside_identity (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    person_id TEXT NOT NULL REFERENCES person (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX outside_identity_person ON outside_identity (person_id);

-- What a browser is in the middle of: between asking for a challenge and answering it.
CREATE TABLE ceremony (
    digest TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    person_id TEXT,
    state TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX ceremony_expires ON ceremony (expires_at);

-- Who looked at whose record, when and why.
CREATE TABLE look (
    id TEXT PRIMARY KEY,
    subject_id TEXT NOT NULL REFERENCES person (id),
    viewer_id TEXT NOT NULL REFERENCES person (id),
    visit TEXT NOT NULL,
    at BIGINT NOT NULL,
    until BIGINT NOT NULL,
    purpose TEXT NOT NULL,
    words TEXT NOT NULL,
    entry BIGINT NOT NULL
);
CREATE INDEX look_subject ON look (subject_id, at);
CREATE INDEX look_visit ON look (visit, subject_id, until);

-- What those who answer for a unit said of its people, month by month.
CREATE TABLE attestation (
    entry BIGINT PRIMARY KEY,
    unit_id TEXT NOT NULL REFERENCES unit (id),
    by_id TEXT NOT NULL REFERENCES person (id),
    at BIGINT NOT NULL
);
CREATE INDEX attestation_unit ON attestation (unit_id, at);
CREATE TABLE attestation_answer (
    entry BIGINT NOT NULL REFERENCES attestation (entry),
    person_id TEXT NOT NULL REFERENCES person (id),
    answer TEXT NOT NULL,
    words TEXT NOT NULL,
    PRIMARY KEY (entry, person_id)
);
CREATE INDEX attestation_answer_person ON attestation_answer (person_id);
