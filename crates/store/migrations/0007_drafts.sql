-- A review looks through the whole policy, or through one rule that has a period of its own.
ALTER TABLE policy_review ADD COLUMN rule TEXT;

-- Since when each rule has been asked: from then on its first review is counted.
CREATE TABLE policy_rule (
    rule TEXT PRIMARY KEY,
    since BIGINT NOT NULL
);

-- Every text that a file of a draft has had, so that no edit is lost, whoever saved last. None: it was removed.
CREATE TABLE policy_draft_text (
    draft_id TEXT NOT NULL REFERENCES policy_draft (id),
    revision BIGINT NOT NULL,
    path TEXT NOT NULL,
    text TEXT,
    by_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (draft_id, path, revision)
);
