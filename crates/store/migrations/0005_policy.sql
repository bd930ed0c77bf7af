-- Versions of the policy: each whole, as it was published, for ever.
CREATE TABLE policy_version (
    digest TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    files TEXT NOT NULL,
    says TEXT NOT NULL,
    author TEXT NOT NULL,
    approver TEXT NOT NULL,
    published_at BIGINT NOT NULL,
    effective_at BIGINT NOT NULL,
    in_force_at BIGINT,
    superseded_at BIGINT,
    entry BIGINT NOT NULL,
    UNIQUE (name, version)
);
CREATE INDEX policy_version_in_force ON policy_version (in_force_at);

-- What is being written. A draft is changed by whoever saw its last revision.
CREATE TABLE policy_draft (
    id TEXT PRIMARY KEY,
    based_on TEXT NOT NULL REFERENCES policy_version (digest),
    files TEXT NOT NULL,
    says TEXT NOT NULL,
    state TEXT NOT NULL,
    revision BIGINT NOT NULL,
    author TEXT NOT NULL,
    changed_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    effective_at BIGINT
);
CREATE INDEX policy_draft_state ON policy_draft (state, changed_at);

-- Who confirmed which text.
CREATE TABLE acknowledgement (
    person_id TEXT NOT NULL REFERENCES person (id),
    digest TEXT NOT NULL REFERENCES policy_version (digest),
    at BIGINT NOT NULL,
    entry BIGINT NOT NULL,
    PRIMARY KEY (person_id, digest)
);
CREATE INDEX acknowledgement_digest ON acknowledgement (digest, person_id);

-- Who looked the policy through, what was considered, what came of it.
CREATE TABLE policy_review (
    id TEXT PRIMARY KEY,
    digest TEXT NOT NULL REFERENCES policy_version (digest),
    at BIGINT NOT NULL,
    by_id TEXT NOT NULL REFERENCES person (id),
    took_part TEXT NOT NULL,
    considered TEXT NOT NULL,
    outcome TEXT NOT NULL,
    words TEXT NOT NULL,
    entry BIGINT NOT NULL
);
CREATE INDEX policy_review_at ON policy_review (at);

-- Findings on what is no device: people, places, items, the organisation.
CREATE TABLE subject_finding (
    kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    rule TEXT NOT NULL,
    outcome TEXT NOT NULL,
    observed TEXT NOT NULL,
    origin TEXT NOT NULL,
    at BIGINT NOT NULL,
    since BIGINT NOT NULL,
    failing_since BIGINT,
    PRIMARY KEY (kind, subject_id, rule)
);
CREATE INDEX subject_finding_against ON subject_finding (rule, failing_since, subject_id) WHERE failing_since IS NOT NULL;
CREATE TABLE subject_standing (
    kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    standing TEXT NOT NULL,
    since BIGINT NOT NULL,
    deadline BIGINT,
    PRIMARY KEY (kind, subject_id)
);

-- Reports that another version of the policy judged are found without reading all.
CREATE INDEX device_report_pack ON device_report (pack_digest);
