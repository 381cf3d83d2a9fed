-- Room `choose`: a yes may have an end.

-- ORDER: the MACs cover these columns if one of them says something; so rows from before stay whole.
ALTER TABLE choice ADD COLUMN ends_at {int} NOT NULL DEFAULT 0; -- clear: when a yes ends by itself, µs UTC; 0 for one that stands until it is withdrawn, and for all but a yes
ALTER TABLE choice_standing ADD COLUMN ends TEXT NOT NULL DEFAULT ''; -- clear: which granted purposes end when: `ordinal=instant`, µs UTC, with `,` between them
ALTER TABLE choice_standing ADD COLUMN ends_at {int} NOT NULL DEFAULT 0; -- clear: the earliest of them, µs UTC; 0 for none
CREATE INDEX choice_ends ON choice_standing (ends_at);
