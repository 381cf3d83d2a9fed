-- Room `answer`: people who look at what is their own, and how they show that it is them. No address, no code, no name stands here.

-- One-time codes that were asked for; rows are removed an hour later. A row is made whether or not somebody is known by the address.
CREATE TABLE code_asked (
    id {bytes} NOT NULL PRIMARY KEY,-- hash: random, 16 bytes: by this the code is given back
    shop {int} NOT NULL,            -- number: the shop
    address {bytes} NOT NULL,       -- hash: keyed, of the address: how often it was asked for
    subject {int} NOT NULL,         -- number: who is known by it; 0 for nobody, or several
    code {bytes} NOT NULL,          -- hash: keyed, of the code
    asked_at {int} NOT NULL,        -- clear: when, µs UTC
    tries {int} NOT NULL,           -- clear: how often a wrong code was given
    mac {bytes} NOT NULL            -- mac: over all columns
) {keyed};
CREATE INDEX code_asked_shop ON code_asked (shop, asked_at);

-- People who are signed in; rows are removed when they leave, or once the time is over.
CREATE TABLE sign_in (
    id {bytes} NOT NULL PRIMARY KEY,-- hash: SHA-256 of the random secret in the browser's cookie
    shop {int} NOT NULL,            -- number: the shop
    subject {int} NOT NULL,         -- number: who
    began_at {int} NOT NULL,        -- clear: when, µs UTC
    confirmed_at {int} NOT NULL,    -- clear: 0, or when they last gave a one-time code, µs UTC
    ends_at {int} NOT NULL,         -- clear: when it is over, µs UTC
    mac {bytes} NOT NULL            -- mac: over all columns
) {keyed};
CREATE INDEX sign_in_shop ON sign_in (shop, ends_at);
