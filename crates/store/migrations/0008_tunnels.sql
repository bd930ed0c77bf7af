-- The key that a device made for a tunnel, and its place among the addresses there.
CREATE TABLE tunnel_key (
    tunnel TEXT NOT NULL,
    device_id TEXT NOT NULL REFERENCES device (id),
    key TEXT NOT NULL,
    place BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    asked_at BIGINT NOT NULL,
    PRIMARY KEY (tunnel, device_id)
);
CREATE UNIQUE INDEX tunnel_key_key ON tunnel_key (key);
CREATE UNIQUE INDEX tunnel_key_place ON tunnel_key (tunnel, place);
CREATE INDEX tunnel_key_device ON tunnel_key (device_id);
