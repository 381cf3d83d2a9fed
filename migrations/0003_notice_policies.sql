-- Room `notice`: the policy versions of a shop, exactly as published.

CREATE TABLE policy (
    shop {int} NOT NULL,            -- number: the shop
    version {int} NOT NULL,         -- clear: from 1
    at {int} NOT NULL,              -- clear: published, µs UTC
    text TEXT NOT NULL,             -- clear: the file, byte for byte
    digest {bytes} NOT NULL,        -- clear: SHA-256 of the text; the entry of its publication holds it too
    registry TEXT NOT NULL,         -- clear: which name has which ordinal, for ever
    voids {bytes} NOT NULL,         -- clear: purposes whose granted choices this version made void, a bit each
    mac {bytes} NOT NULL,           -- mac: over all columns
    PRIMARY KEY (shop, version)
) {rows};
