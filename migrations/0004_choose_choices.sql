-- Room `choose`: what subjects said about purposes.

-- Every choice, in the order it was made.
CREATE TABLE choice (
    id {id},                        -- number: subject and place among the subject's choices
    shop {int} NOT NULL,            -- number: the shop
    purpose {int} NOT NULL,         -- clear: ordinal of the purpose
    said {int} NOT NULL,            -- clear: 1 granted, 2 refused, 3 withdrawn
    at {int} NOT NULL,              -- clear: when the subject said so, µs UTC
    notice {int} NOT NULL,          -- clear: version of the notice that they saw
    language TEXT NOT NULL,         -- clear: language of that notice
    way TEXT NOT NULL,              -- clear: how it came: api, import
    entry {int} NOT NULL,           -- number: its entry, log and leaf in one
    mac {bytes} NOT NULL            -- mac: over all columns
) {rows};

-- Where each subject stands now; one row per subject that ever chose.
CREATE TABLE choice_standing (
    subject {id},                   -- number: the subject
    shop {int} NOT NULL,            -- number: the shop
    count {int} NOT NULL,           -- clear: choices made
    under {int} NOT NULL,           -- clear: version of the policy under which the grants were last looked at; a later one may void some
    granted {bytes} NOT NULL,       -- clear: purposes granted, a bit each
    refused {bytes} NOT NULL,       -- clear: purposes refused or withdrawn, a bit each
    mac {bytes} NOT NULL            -- mac: over all columns
) {rows};
