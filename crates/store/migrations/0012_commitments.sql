-- What the ledger commits to of somebody's name, address, and number is salted: once the salt is erased, nothing tells.
ALTER TABLE person ADD COLUMN salt TEXT NOT NULL DEFAULT '';
