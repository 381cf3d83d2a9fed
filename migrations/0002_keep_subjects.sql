-- Room `keep`: shops, subjects, records, sealed fields, blind indexes, tokens, and every table of keys.
-- Class of each column: number · key (sealed) · sealed (personal data) · index (keyed hash) · clear (not personal) · mac.

CREATE TABLE shop (
    id {id},                        -- clear: number of the shop, from 1
    name TEXT NOT NULL UNIQUE,      -- clear: the shop's id in its policy
    since {int} NOT NULL,           -- clear: when it was made, µs UTC
    generation {int} NOT NULL,      -- clear: which generation of its log is written, from 1
    mac {bytes} NOT NULL            -- mac: over all columns
) {rows};

-- Keys of a shop, wrapped under an epoch key.
CREATE TABLE shop_key (
    shop {int} NOT NULL,            -- number: the shop
    class {int} NOT NULL,           -- clear: 16 wrap, 17 index, 18 row, 19 request
    version {int} NOT NULL,         -- clear: version of that key, from 1
    wrapped {bytes} NOT NULL,       -- key: sealed under the epoch it names
    PRIMARY KEY (shop, class, version)
) {keyed};

-- Keys that everything ending in one week shares.
CREATE TABLE term (
    id {id},                        -- number: dense
    shop {int} NOT NULL,            -- number: the shop
    ends_at {int} NOT NULL,         -- clear: when its key is destroyed, µs UTC; the greatest number for an open one
    epoch {int} NOT NULL,           -- clear: 0, or the epoch of an open term
    wrapped {bytes} NOT NULL,       -- key: sealed under the shop's wrap key
    mac {bytes} NOT NULL,           -- mac: over shop, id, ends_at, epoch and key id
    UNIQUE (shop, ends_at, epoch)
) {rows};

CREATE TABLE subject (
    id {id},                        -- number: dense
    shop {int} NOT NULL,            -- number: the shop
    standing {int} NOT NULL,        -- clear: 0 present, 1 restricted, 2 erased
    since {int} NOT NULL,           -- clear: when it was made, µs UTC
    keys {bytes} NOT NULL,          -- key: main, retained, hold; each sealed under the shop's wrap key; a destroyed one is not here
    mac {bytes} NOT NULL            -- mac: over all columns
) {rows};

-- Rows lie in the order in which they came, three to a page, so that writes of many subjects change few pages; only the
-- small entries of the key's index lie by subject.
CREATE TABLE record (
    id {int} NOT NULL UNIQUE,       -- number: subject, kind and place in one
    shop {int} NOT NULL,            -- number: the shop
    version {int} NOT NULL,         -- clear: from 1, bound into the seal
    clear {bytes} NOT NULL,         -- clear, index: events, retention end, blind indexes; bound into the seal
    sealed {bytes} NOT NULL         -- sealed: the envelope with all fields
) {rows};

-- From a keyed hash (of an external id, or of a searchable value) to a record.
CREATE TABLE lookup (
    shop {int} NOT NULL,            -- number: the shop
    blind {bytes} NOT NULL,         -- index: keyed hash
    slot {int} NOT NULL,            -- number: 0 where a value may stand once only, else the record
    record {int} NOT NULL,          -- number: the record
    mac {bytes} NOT NULL,           -- mac: over all columns
    PRIMARY KEY (shop, blind, slot)
) {keyed};

-- Tokens stand for one field of one record.
CREATE TABLE token (
    shop {int} NOT NULL,            -- number: the shop
    token {bytes} NOT NULL,         -- clear: 16 bytes, random, or keyed by the subject
    record {int} NOT NULL,          -- number: the record
    field {int} NOT NULL,           -- clear: ordinal of the field
    recipient {int} NOT NULL,       -- clear: ordinal of the recipient that it is for; -1 for the shop itself
    made {int} NOT NULL,            -- clear: 0 at random, 1 from the value
    since {int} NOT NULL,           -- clear: when, µs UTC
    mac {bytes} NOT NULL,           -- mac: over all columns
    PRIMARY KEY (shop, token)
) {keyed};
CREATE INDEX token_record ON token (shop, record);

-- Keys that are gone for good: no row may ever bring one back.
CREATE TABLE destroyed (
    key_id {bytes} NOT NULL PRIMARY KEY, -- clear: random id of the key
    shop {int} NOT NULL,            -- number: the shop
    at {int} NOT NULL               -- clear: when, µs UTC
) {keyed};
