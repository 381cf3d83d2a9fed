-- Room `people`: credentials of the API. A secret is shown once and never kept.

CREATE TABLE credential (
    id {id},                        -- number: dense
    shop {int} NOT NULL,            -- number: the shop
    role {int} NOT NULL,            -- clear: 1 intake, 2 service, 3 officer, 4 auditor, 5 admin
    label TEXT NOT NULL,            -- clear: what it is for, a technical name and not a person's
    purposes {bytes} NOT NULL,      -- clear: purposes it may use, a bit each
    for_others {int} NOT NULL,      -- clear: 1 if it may say on whose behalf it acts
    hash {bytes} NOT NULL,          -- hash: SHA-256 of its 32 random bytes
    since {int} NOT NULL,           -- clear: made, µs UTC
    revoked_at {int} NOT NULL,      -- clear: 0, or when it was revoked, µs UTC
    mac {bytes} NOT NULL            -- mac: over all columns
) {rows};
