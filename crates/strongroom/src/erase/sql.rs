//! Every statement of the room. Its table: erasure.

store::statements! {
    ADD_ERASURE = "INSERT INTO erasure (subject, shop, at, everywhere_by, entry, body, salt, mac)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                   ON CONFLICT (subject) DO UPDATE SET at = excluded.at, everywhere_by = excluded.everywhere_by,
                   entry = excluded.entry, body = excluded.body, salt = excluded.salt, mac = excluded.mac";
    FIND_ERASURE = "SELECT subject, at, everywhere_by, entry, body, salt, mac FROM erasure WHERE subject = $1 AND shop = $2";
    LIST_ERASURES_AFTER = "SELECT subject, at, everywhere_by, entry, body, salt, mac FROM erasure
                           WHERE subject > $1 AND shop = $2 ORDER BY subject LIMIT $3";
    FIRST_PROMISE = "SELECT everywhere_by FROM erasure WHERE shop = $1 AND at >= $2 ORDER BY everywhere_by LIMIT 1";
    COUNT_ERASURES = "SELECT count(*) FROM erasure WHERE shop = $1";
}

/// What a restore takes over from the database that it replaces: certificates that were given stay given.
pub(crate) const KEEP_NEWEST: &str =
    "DELETE FROM main.erasure; INSERT INTO main.erasure SELECT * FROM kept.erasure;";
