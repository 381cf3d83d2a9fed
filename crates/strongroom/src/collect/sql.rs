//! Every statement of the room. Its table: import.

store::statements! {
    FIND_IMPORT = "SELECT rows, counts, shift, done FROM import WHERE id = $1 AND shop = $2";
    SET_IMPORT = "INSERT INTO import (id, shop, at, rows, counts, shift, done) VALUES ($1, $2, $3, $4, $5, $6, $7)
                  ON CONFLICT (id) DO UPDATE SET at = excluded.at, rows = excluded.rows, counts = excluded.counts,
                  done = excluded.done";
}

/// What a restore forgets: how far imports had come. Rows that are gone must come in again.
pub(crate) const FORGET: &str = "DELETE FROM main.import;";
