-- What programs sign in with, and what was answered to requests that may be sent again.

CREATE TABLE token (
    id TEXT PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    person_id TEXT NOT NULL REFERENCES person (id),
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    last_used BIGINT,
    ended_at BIGINT
);
CREATE INDEX token_person ON token (person_id, created_at);

-- The answer is sealed: it may hold what is told once.
CREATE TABLE answered (
    asker TEXT NOT NULL,
    name TEXT NOT NULL,
    request TEXT NOT NULL,
    status BIGINT,
    answer TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (asker, name)
);
CREATE INDEX answered_at ON answered (at);
