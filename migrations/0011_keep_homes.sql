-- Room `keep`: where a subject lives and whether it is of age, as far as the shop said: whose law the gate asks.

-- ORDER: the MAC of a subject covers these columns if one of them says something; so rows from before stay whole.
ALTER TABLE subject ADD COLUMN home TEXT NOT NULL DEFAULT ''; -- clear: code of the country or state whose law is theirs; empty where nobody knows
ALTER TABLE subject ADD COLUMN age {int} NOT NULL DEFAULT 0; -- clear: 0 nobody knows, 1 a minor, 2 of age
