-- Room `erase`: erasures of subjects, for their certificates.

CREATE TABLE erasure (
    subject {id},                   -- number: the subject
    shop {int} NOT NULL,            -- number: the shop
    at {int} NOT NULL,              -- clear: unreadable here since, µs UTC
    everywhere_by {int} NOT NULL,   -- clear: unreadable everywhere by, µs UTC
    entry {int} NOT NULL,           -- number: its entry, log and leaf in one
    body TEXT NOT NULL,             -- clear: the certificate's body, as its entry commits to it
    salt {bytes} NOT NULL,          -- clear: opens the commitment; only whoever holds the certificate is told
    mac {bytes} NOT NULL            -- mac: over all columns
) {rows};
