//! Every statement of the room. Its table: erasure.

store::statements! {
    ADD_ERASURE = "INSERT INTO erasure (subject, shop, at, everywhere_by, entry, body, salt) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    FIND_ERASURE = "SELECT entry, body, salt FROM erasure WHERE subject = $1 AND shop = $2";
    COUNT_ERASURES = "SELECT count(*) FROM erasure WHERE shop = $1";
}

/// What a restore takes over from the database that it replaces: certificates that were given stay given.
pub(crate) const KEEP_NEWEST: &str = "DELETE FROM main.erasure; INSERT INTO main.erasure SELECT * FROM kept.erasure;";
