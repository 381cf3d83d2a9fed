-- Room `people`: how many persons a credential may reach, whether it is frozen, and approvals of more.

-- ORDER: the MAC of a credential covers these columns if one of them says something; so rows from before stay whole.
ALTER TABLE credential ADD COLUMN per_hour {int} NOT NULL DEFAULT 0; -- clear: persons that it may reach in any hour, over all its purposes; 0 for what the policy says
ALTER TABLE credential ADD COLUMN per_day {int} NOT NULL DEFAULT 0; -- clear: persons that it may reach in any 24 hours, over all its purposes; 0 for what the policy says
ALTER TABLE credential ADD COLUMN frozen_at {int} NOT NULL DEFAULT 0; -- clear: 0, or when it was frozen, µs UTC
ALTER TABLE credential ADD COLUMN said TEXT NOT NULL DEFAULT ''; -- clear: why it was last frozen or let go on: a reference, never personal data

-- What a credential may reach above its limit, for a while, because somebody asked and somebody else approved.
CREATE TABLE approval (
    id {id},                        -- number: dense
    shop {int} NOT NULL,            -- number: the shop
    credential {int} NOT NULL,      -- number: the credential that may
    purpose {int} NOT NULL,         -- clear: the purpose
    subjects {int} NOT NULL,        -- clear: persons at the most
    hours {int} NOT NULL,           -- clear: for how long it stands once approved, hours
    said TEXT NOT NULL,             -- clear: why: a reference, never personal data
    asker {int} NOT NULL,           -- number: the credential that asked; 0 for the operator
    asked_at {int} NOT NULL,        -- clear: when it was asked for, µs UTC
    state {int} NOT NULL,           -- clear: 1 asked, 2 approved, 3 refused
    decider {int} NOT NULL,         -- number: the credential that decided; 0 for the operator, and while nobody has
    decided_at {int} NOT NULL,      -- clear: 0, or when that was, µs UTC
    ends_at {int} NOT NULL,         -- clear: until when it can be approved, then until when it stands, µs UTC
    mac {bytes} NOT NULL            -- mac: over all columns
) {rows};
CREATE INDEX approval_shop ON approval (shop, id);
