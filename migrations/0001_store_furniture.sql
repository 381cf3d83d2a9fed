-- The store's own furniture. It moves bytes and knows no room; no column here holds personal data.
-- Class of each column: number · clear (not personal) · hash (of a secret or a request).

-- Which step of the schema this database has reached.
CREATE TABLE schema (
    number {int} NOT NULL           -- clear: number of the last migration that ran
) {rows};

-- Dense numbers, handed out in blocks.
CREATE TABLE number_block (
    name TEXT NOT NULL PRIMARY KEY, -- clear: what is numbered
    last {int} NOT NULL             -- clear: last number handed out; the first is 1
) {keyed};

-- Runs of leaves, as they were committed together; a run never crosses a tile's edge.
CREATE TABLE leaf (
    id {id},                        -- number: log number, shifted left by 40 bits, plus the number of the first leaf
    packed {bytes} NOT NULL         -- clear: leaves as (length as two bytes, bytes), the layout of a tlog-tiles bundle
) {rows};

-- Full hash tiles.
CREATE TABLE tile (
    log {int} NOT NULL,             -- number: the log
    level {int} NOT NULL,           -- clear: 0 for hashes of leaves
    position {int} NOT NULL,        -- clear: position in the level
    hashes {bytes} NOT NULL,        -- clear: 256 hashes of 32 bytes
    PRIMARY KEY (log, level, position)
) {rows};

-- What each log has become, in the same transaction as its newest leaf.
CREATE TABLE log_head (
    log {id},                       -- number: the log
    size {int} NOT NULL,            -- clear: leaves in the log
    root {bytes} NOT NULL           -- clear: Merkle root over them
) {rows};

-- Durable jobs. A job is claimed by a lease; a lease that has run out can be claimed again.
CREATE TABLE job (
    id {dense},                     -- number: dense
    shop {int} NOT NULL,            -- number: whose job
    kind TEXT NOT NULL,             -- clear: what is to be done
    subject {int} NOT NULL,         -- number: of what it is done to; 0 when that is the shop
    due_at {int} NOT NULL,          -- clear: when it was first asked for since it was last done, µs UTC
    leased_until {int} NOT NULL,    -- clear: 0, or until when a worker has it, or it is put off, µs of the steady clock
    attempts {int} NOT NULL,        -- clear: how often it was begun
    asked {int} NOT NULL,           -- clear: how often it was asked for; a change while it runs makes it run again
    progress {bytes} NOT NULL       -- clear: for which asking, begun when (µs UTC), and where to go on; never personal data
) {rows};
CREATE INDEX job_due ON job (due_at);
CREATE UNIQUE INDEX job_once ON job (shop, kind, subject);

-- Answers to requests that carried an Idempotency-Key, for 24 hours: ids only.
CREATE TABLE idempotency (
    id {bytes} NOT NULL PRIMARY KEY,-- hash: keyed, over credential and key
    at {int} NOT NULL,              -- clear: when, µs UTC
    request {bytes} NOT NULL,       -- hash: keyed, of the request
    answer {bytes} NOT NULL         -- number: numbers from which the answer is made again
) {keyed};
