//! Every statement of the room. Its table: credential.

store::statements! {
    ADD_CREDENTIAL = "INSERT INTO credential (id, shop, role, label, purposes, for_others, hash, since, revoked_at, mac)
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9)";
    FIND_CREDENTIAL = "SELECT shop, role, label, purposes, for_others, hash, since, revoked_at, mac FROM credential WHERE id = $1";
    LIST_CREDENTIALS = "SELECT id, role, label, purposes, for_others, hash, since, revoked_at, mac FROM credential
                        WHERE shop = $1 ORDER BY id LIMIT $2";
    REVOKE_CREDENTIAL = "UPDATE credential SET revoked_at = $1, mac = $2 WHERE id = $3 AND shop = $4 AND revoked_at = 0";
}

/// What a restore takes over from the database that it replaces: a revoked credential stays revoked.
pub(crate) const KEEP_NEWEST: &str =
    "DELETE FROM main.credential; INSERT INTO main.credential SELECT * FROM kept.credential;";
