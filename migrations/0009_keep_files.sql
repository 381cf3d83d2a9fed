-- Room `keep`: files, sealed chunk by chunk. What opens a file is a value in its record's envelope; what it is made of is
-- bound into that seal. A file that no record names is opened by nothing, and is taken away behind.

-- Which files there are, and what is to become of them.
CREATE TABLE file (
    id {id},                        -- number: dense
    shop {int} NOT NULL,            -- number: the shop
    record {int} NOT NULL,          -- number: the record that it came in for
    field {int} NOT NULL,           -- clear: ordinal of the field
    state {int} NOT NULL,           -- clear: 0 arriving, 1 kept: its record names it, 2 gone: to be taken away
    since {int} NOT NULL,           -- clear: when it began to arrive, µs UTC
    mac {bytes} NOT NULL            -- mac: over all columns
) {rows};
CREATE INDEX file_state ON file (state, shop, since);

-- Their bytes. A file's number is in its chunks' numbers, so that they lie together.
CREATE TABLE file_chunk (
    id {id},                        -- number: the file, shifted left by 16 bits, plus the chunk from 0
    sealed {bytes} NOT NULL         -- sealed: 64 KiB of the file, the last chunk fewer
) {rows};
