//! Every statement of the room. Its table: policy.

store::statements! {
    ADD_POLICY = "INSERT INTO policy (shop, version, at, text, digest, registry, voids, mac)
                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    LIST_WHOLE_POLICIES = "SELECT version, at, text, digest, registry, voids, mac FROM policy WHERE shop = $1 ORDER BY version";
    LIST_POLICIES = "SELECT version, at, digest FROM policy WHERE shop = $1 ORDER BY version DESC LIMIT $2";
}

/// What a restore takes over from the database that it replaces: published versions stay published.
pub(crate) const KEEP_NEWEST: &str =
    "DELETE FROM main.policy; INSERT INTO main.policy SELECT * FROM kept.policy;";
