-- Losses: what was lost, the doors that were shut for it, the steps that follow, and what happened.
ALTER TABLE device ADD COLUMN lost_at BIGINT;

CREATE TABLE loss (
    id TEXT PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES person (id),
    unit_id TEXT NOT NULL REFERENCES unit (id),
    thing TEXT NOT NULL,
    device_id TEXT REFERENCES device (id),
    label TEXT NOT NULL,
    stolen BIGINT NOT NULL,
    practice BIGINT NOT NULL,
    way TEXT NOT NULL,
    told_by TEXT NOT NULL,
    told_at BIGINT NOT NULL,
    noticed_at BIGINT NOT NULL,
    words TEXT NOT NULL,
    evidence TEXT NOT NULL,
    salt TEXT NOT NULL,
    kept TEXT NOT NULL,
    state TEXT NOT NULL,
    risk TEXT NOT NULL,
    heard_at BIGINT,
    obeyed_at BIGINT,
    back_at BIGINT,
    closed_at BIGINT,
    revision BIGINT NOT NULL
);
CREATE INDEX loss_person ON loss (person_id, told_at);
CREATE INDEX loss_state ON loss (state, id);
-- What is shut is shut once.
CREATE UNIQUE INDEX loss_device_open ON loss (device_id) WHERE device_id IS NOT NULL AND practice = 0 AND back_at IS NULL;

CREATE TABLE loss_door (
    loss_id TEXT NOT NULL REFERENCES loss (id),
    door TEXT NOT NULL,
    shut_at BIGINT NOT NULL,
    n BIGINT NOT NULL,
    open_at BIGINT,
    PRIMARY KEY (loss_id, door)
);

CREATE TABLE loss_step (
    loss_id TEXT NOT NULL REFERENCES loss (id),
    place BIGINT NOT NULL,
    name TEXT NOT NULL,
    asks TEXT NOT NULL,
    taker TEXT NOT NULL,
    due_at BIGINT,
    done_at BIGINT,
    done_by TEXT NOT NULL,
    words TEXT NOT NULL,
    PRIMARY KEY (loss_id, name)
);
CREATE INDEX loss_step_due ON loss_step (due_at) WHERE done_at IS NULL;

CREATE TABLE loss_event (
    loss_id TEXT NOT NULL REFERENCES loss (id),
    n BIGINT NOT NULL,
    at BIGINT NOT NULL,
    by_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    words TEXT NOT NULL,
    PRIMARY KEY (loss_id, n)
);

-- The code on somebody's wallet card, as a digest.
CREATE TABLE loss_card (
    person_id TEXT PRIMARY KEY REFERENCES person (id),
    digest TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE UNIQUE INDEX loss_card_digest ON loss_card (digest);
