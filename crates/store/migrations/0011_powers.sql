-- Who made what lets somebody in, and who gave a role: it is asked again when it counts.
ALTER TABLE one_time_link ADD COLUMN made_by TEXT NOT NULL DEFAULT '';
ALTER TABLE enrolment_code ADD COLUMN made_by TEXT NOT NULL DEFAULT '';
ALTER TABLE role_grant ADD COLUMN granted_by TEXT NOT NULL DEFAULT '';
-- Addresses that a version names for break-glass access, in lower case.
CREATE TABLE policy_glass (
    digest TEXT NOT NULL REFERENCES policy_version (digest),
    address TEXT NOT NULL,
    PRIMARY KEY (digest, address)
);
CREATE INDEX policy_glass_address ON policy_glass (address);
