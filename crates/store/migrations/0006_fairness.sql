-- How a rule applies to one subject: its stage there, since when it counts, and when it costs something.
ALTER TABLE finding ADD COLUMN stage TEXT NOT NULL DEFAULT 'enforce';
ALTER TABLE finding ADD COLUMN counts_since BIGINT;
ALTER TABLE finding ADD COLUMN due BIGINT;
UPDATE finding SET counts_since = failing_since;
ALTER TABLE subject_finding ADD COLUMN stage TEXT NOT NULL DEFAULT 'enforce';
ALTER TABLE subject_finding ADD COLUMN counts_since BIGINT;
ALTER TABLE subject_finding ADD COLUMN due BIGINT;
UPDATE subject_finding SET counts_since = failing_since;
CREATE INDEX finding_due ON finding (due, device_id) WHERE due IS NOT NULL;
CREATE INDEX subject_finding_due ON subject_finding (kind, due, subject_id) WHERE due IS NOT NULL;

-- What is kept is judged again under what applies to it; how often that happened tells two judgements apart.
ALTER TABLE device_report ADD COLUMN basis BIGINT NOT NULL DEFAULT 0;
UPDATE device_report SET pack_digest = '';

-- Somebody may go without keeping a rule until a named time, for a reason, with something in its place.
CREATE TABLE policy_exception (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    label TEXT NOT NULL,
    person_id TEXT NOT NULL REFERENCES person (id),
    rule TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    reason TEXT NOT NULL,
    instead TEXT NOT NULL,
    until BIGINT NOT NULL,
    state TEXT NOT NULL,
    decided_by TEXT,
    decided_at BIGINT,
    words TEXT NOT NULL,
    renews TEXT,
    ended_at BIGINT
);
CREATE INDEX policy_exception_state ON policy_exception (state, until);
CREATE INDEX policy_exception_person ON policy_exception (person_id, asked_at);
CREATE INDEX policy_exception_subject ON policy_exception (kind, subject_id);

-- Rules that bind one person by name.
CREATE TABLE person_term (
    id TEXT PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES person (id),
    rule TEXT NOT NULL,
    words TEXT NOT NULL,
    written_by TEXT NOT NULL,
    written_at BIGINT NOT NULL,
    ended_by TEXT,
    ended_at BIGINT
);
CREATE INDEX person_term_person ON person_term (person_id, written_at);
CREATE INDEX person_term_open ON person_term (person_id) WHERE ended_at IS NULL;

-- What follows when a rule is not kept, step by step, with what was seen, frozen.
CREATE TABLE lapse_case (
    id TEXT PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES person (id),
    unit_id TEXT NOT NULL REFERENCES unit (id),
    kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    rule TEXT NOT NULL,
    policy TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    evidence TEXT NOT NULL,
    salt TEXT NOT NULL,
    state TEXT NOT NULL,
    next_at BIGINT,
    decider_id TEXT,
    second_id TEXT,
    sanction TEXT NOT NULL,
    decided_at BIGINT,
    appealed_at BIGINT,
    mended_at BIGINT,
    closed_at BIGINT,
    outcome TEXT NOT NULL,
    revision BIGINT NOT NULL
);
CREATE UNIQUE INDEX lapse_case_open ON lapse_case (kind, subject_id, rule) WHERE closed_at IS NULL;
CREATE INDEX lapse_case_subject ON lapse_case (kind, subject_id, rule, opened_at);
CREATE INDEX lapse_case_person ON lapse_case (person_id, opened_at);
CREATE INDEX lapse_case_next ON lapse_case (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX lapse_case_list ON lapse_case (state, opened_at);
CREATE TABLE case_event (
    case_id TEXT NOT NULL REFERENCES lapse_case (id),
    n BIGINT NOT NULL,
    at BIGINT NOT NULL,
    by_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    words TEXT NOT NULL,
    PRIMARY KEY (case_id, n)
);

-- Everybody who changed a draft: none of them publishes it.
ALTER TABLE policy_draft ADD COLUMN editors TEXT NOT NULL DEFAULT '';

-- Whose signature a pack may come with.
CREATE TABLE policy_key (
    key TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    added_by TEXT NOT NULL,
    added_at BIGINT NOT NULL,
    removed_at BIGINT
);
