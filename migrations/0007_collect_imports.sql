-- Room `collect`: how far each import has come, so that one that was cut off goes on.

CREATE TABLE import (
    id {bytes} NOT NULL PRIMARY KEY,-- hash: keyed, over the file's digest and the mapping
    shop {int} NOT NULL,            -- number: the shop
    at {int} NOT NULL,              -- clear: last change, µs UTC
    rows {int} NOT NULL,            -- clear: rows done
    counts TEXT NOT NULL,           -- clear: what became of them, as numbers
    shift {int} NOT NULL,           -- clear: microseconds added to its instants, settled when it began
    done {int} NOT NULL             -- clear: 1 when the file was read to its end
) {keyed};
