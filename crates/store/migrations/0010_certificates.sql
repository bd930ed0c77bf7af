-- Certificates with which a device shows itself on connections, by the SHA-256 of each.
CREATE TABLE device_certificate (
    fingerprint TEXT PRIMARY KEY,
    device_id TEXT NOT NULL REFERENCES device (id),
    made_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL
);
CREATE INDEX device_certificate_device ON device_certificate (device_id, ends_at);
