-- What people are told, how they want to be told it, and what is on its way out.

-- One thing to tell one person: the name of a message and what it is given. Its words are chosen when it is
-- told, in the language that they read then.
CREATE TABLE notice (
    id TEXT PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES person (id),
    topic TEXT NOT NULL,
    -- What it comes from, so that it is told once.
    source TEXT NOT NULL,
    at BIGINT NOT NULL,
    say TEXT NOT NULL,
    given TEXT NOT NULL,
    link TEXT NOT NULL,
    -- When it may go out, with what else waits by then.
    hold_until BIGINT NOT NULL,
    told_at BIGINT
);
CREATE UNIQUE INDEX notice_source ON notice (person_id, source);
CREATE INDEX notice_person ON notice (person_id, at);
CREATE INDEX notice_waiting ON notice (hold_until) WHERE told_at IS NULL;
CREATE INDEX notice_at ON notice (at);

-- How somebody wants to be told. Without a row it is as the program has it.
CREATE TABLE notice_choice (
    person_id TEXT PRIMARY KEY REFERENCES person (id),
    devices TEXT NOT NULL,
    tasks TEXT NOT NULL,
    record TEXT NOT NULL,
    mail BIGINT NOT NULL,
    desktop BIGINT NOT NULL,
    chat TEXT NOT NULL
);

-- When somebody was last told something, so that messages do not follow each other too closely.
CREATE TABLE notice_last (
    person_id TEXT PRIMARY KEY REFERENCES person (id),
    told_at BIGINT NOT NULL
);

-- An address with a secret in it, at which a calendar finds somebody's due dates.
CREATE TABLE calendar_feed (
    person_id TEXT PRIMARY KEY REFERENCES person (id),
    digest TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

-- Another system that hears what happens. Address and secret are sealed.
CREATE TABLE hook (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    host TEXT NOT NULL,
    secret TEXT NOT NULL,
    events TEXT NOT NULL,
    -- 1 when it can reach people by their name there.
    people BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at BIGINT
);

-- What is on its way out. The message is sealed, and goes when it has arrived.
CREATE TABLE delivery (
    id TEXT PRIMARY KEY,
    channel TEXT NOT NULL,
    person_id TEXT REFERENCES person (id),
    hook_id TEXT REFERENCES hook (id),
    message TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    due BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    error TEXT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX delivery_due ON delivery (due) WHERE state = 'waiting';
CREATE INDEX delivery_state ON delivery (state, created_at, id);
CREATE INDEX delivery_person ON delivery (person_id, state);
CREATE INDEX delivery_created ON delivery (created_at);
