-- Room `keep`: whose law the gate asks about a subject, and whether it is of age, as far as the shop said. No nearer than that: not the
-- country where that is one of the Union, no birthday.

-- ORDER: the MAC of a subject covers these columns if one of them says something; so rows from before stay whole.
ALTER TABLE subject ADD COLUMN home TEXT NOT NULL DEFAULT ''; -- clear: the law that is theirs: of a country, a state, `eu`; empty where nobody knows, and once they are erased
ALTER TABLE subject ADD COLUMN age {int} NOT NULL DEFAULT 0; -- clear: 0 nobody knows, 1 a minor, 2 of age; 0 once they are erased
