//! Every statement of the room. Its table: policy.

store::statements! {
    ADD_POLICY = "INSERT INTO policy (shop, version, at, text, digest, registry) VALUES ($1, $2, $3, $4, $5, $6)";
    FIND_POLICY = "SELECT version, at, text, registry FROM policy WHERE shop = $1 AND version = $2";
    FIND_LATEST_POLICY = "SELECT version, at, text, registry FROM policy WHERE shop = $1 ORDER BY version DESC LIMIT 1";
    LIST_POLICIES = "SELECT version, at, digest FROM policy WHERE shop = $1 ORDER BY version DESC LIMIT $2";
}
