//! Every statement of the room. Its tables: credential, approval.

store::statements! {
    ADD_CREDENTIAL = "INSERT INTO credential (id, shop, role, label, purposes, for_others, hash, since, revoked_at, mac, per_hour, per_day)
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $11)";
    FIND_CREDENTIAL = "SELECT shop, role, label, purposes, for_others, hash, since, revoked_at, mac, per_hour, per_day, frozen_at, said
                       FROM credential WHERE id = $1", rests on ["credential"];
    LIST_CREDENTIALS = "SELECT id, role, label, purposes, for_others, hash, since, revoked_at, mac, per_hour, per_day, frozen_at, said
                       FROM credential
                        WHERE shop = $1 ORDER BY id LIMIT $2";
    REVOKE_CREDENTIAL = "UPDATE credential SET revoked_at = $1, mac = $2 WHERE id = $3 AND shop = $4 AND revoked_at = 0";
    FREEZE_CREDENTIAL = "UPDATE credential SET frozen_at = $1, said = $2, mac = $3 WHERE id = $4 AND shop = $5 AND revoked_at = 0";
    ADD_APPROVAL = "INSERT INTO approval (id, shop, credential, purpose, subjects, hours, said, asker, asked_at, state,
                                          decider, decided_at, ends_at, mac)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, 0, 0, $10, $11)";
    FIND_APPROVAL = "SELECT id, shop, credential, purpose, subjects, hours, said, asker, asked_at, state, decider, decided_at,
                            ends_at, mac
                     FROM approval WHERE id = $1 AND shop = $2";
    LIST_APPROVALS = "SELECT id, shop, credential, purpose, subjects, hours, said, asker, asked_at, state, decider, decided_at,
                             ends_at, mac
                      FROM approval WHERE shop = $1 ORDER BY id DESC LIMIT $2";
    DECIDE_APPROVAL = "UPDATE approval SET state = $1, decider = $2, decided_at = $3, ends_at = $4, mac = $5
                       WHERE id = $6 AND shop = $7 AND state = 1";
}

/// What a restore takes over from the database that it replaces: a revoked credential stays revoked, a frozen one frozen, and
/// what was approved stands no longer than it did.
pub(crate) const KEEP_NEWEST: &str =
    "DELETE FROM main.credential; INSERT INTO main.credential SELECT * FROM kept.credential;
     DELETE FROM main.approval; INSERT INTO main.approval SELECT * FROM kept.approval;";
