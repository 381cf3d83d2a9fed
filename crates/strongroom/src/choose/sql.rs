//! Every statement of the room. Its tables: choice, choice_standing.

store::statements! {
    ADD_CHOICE = "INSERT INTO choice (id, shop, purpose, said, at, notice, language, way, shown, variant, law, ends_at, entry, mac)
                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    LIST_CHOICES = "SELECT id, purpose, said, at, notice, language, way, shown, variant, law, entry, mac, ends_at FROM choice
                    WHERE id >= $1 AND id <= $2 AND shop = $3 ORDER BY id LIMIT $4", rests on ["choice"];
    REMOVE_CHOICES = "DELETE FROM choice WHERE id IN
                      (SELECT id FROM choice WHERE id >= $1 AND id <= $2 AND shop = $3 LIMIT $4)";
    FIND_STANDING = "SELECT count, under, granted, refused, mac, ends FROM choice_standing WHERE subject = $1 AND shop = $2", rests on ["choice_standing"];
    SET_STANDING = "INSERT INTO choice_standing (subject, shop, count, under, granted, refused, ends, ends_at, mac)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                    ON CONFLICT (subject) DO UPDATE SET count = excluded.count, under = excluded.under, granted = excluded.granted,
                    refused = excluded.refused, ends = excluded.ends, ends_at = excluded.ends_at, mac = excluded.mac";
    LIST_ENDED = "SELECT subject FROM choice_standing WHERE ends_at > 0 AND ends_at <= $1 AND shop = $2 AND subject > $3
                  ORDER BY subject LIMIT $4";
    REMOVE_STANDING = "DELETE FROM choice_standing WHERE subject = $1 AND shop = $2";
    LIST_STANDINGS_AFTER = "SELECT subject FROM choice_standing WHERE subject > $1 AND shop = $2 ORDER BY subject LIMIT $3";
}

/// What a restore takes over from the database that it replaces: a withdrawn consent stays withdrawn.
pub(crate) const KEEP_NEWEST: &str = "
    DELETE FROM main.choice; INSERT INTO main.choice SELECT * FROM kept.choice;
    DELETE FROM main.choice_standing; INSERT INTO main.choice_standing SELECT * FROM kept.choice_standing;";
