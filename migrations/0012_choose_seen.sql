-- Room `choose`: what somebody saw who chose on a page of the shop.

-- ORDER: the MAC of a choice covers these columns if one of them says something; so rows from before stay whole.
ALTER TABLE choice ADD COLUMN shown TEXT NOT NULL DEFAULT ''; -- clear: SHA-256 of the words that were shown, hex; empty where no page of ours showed them
ALTER TABLE choice ADD COLUMN variant TEXT NOT NULL DEFAULT ''; -- clear: which form of the page: the order of its buttons
ALTER TABLE choice ADD COLUMN law TEXT NOT NULL DEFAULT ''; -- clear: the law by which it was asked; empty where nobody knew
