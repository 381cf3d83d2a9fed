//! Every statement of the room. Its tables: shop, shop_key, term, subject, record, lookup, token, file, file_chunk, destroyed.

store::statements! {
    ADD_SHOP = "INSERT INTO shop (id, name, since, generation, mac) VALUES ($1, $2, $3, $4, $5)";
    LIST_SHOPS = "SELECT id, name, since, generation, mac FROM shop ORDER BY id";
    SET_GENERATION = "UPDATE shop SET generation = $1, mac = $2 WHERE id = $3";

    ADD_SHOP_KEY = "INSERT INTO shop_key (shop, class, version, wrapped) VALUES ($1, $2, $3, $4)
                    ON CONFLICT (shop, class, version) DO UPDATE SET wrapped = excluded.wrapped";
    LIST_SHOP_KEYS = "SELECT class, version, wrapped FROM shop_key WHERE shop = $1 ORDER BY class, version";
    REMOVE_OLD_WRAPS = "DELETE FROM shop_key WHERE shop = $1 AND class = $2 AND version < $3";

    ADD_TERM = "INSERT INTO term (id, shop, ends_at, epoch, wrapped, mac) VALUES ($1, $2, $3, $4, $5, $6)
                ON CONFLICT (shop, ends_at, epoch) DO NOTHING";
    FIND_TERM = "SELECT shop, ends_at, epoch, wrapped, mac FROM term WHERE id = $1", rests on ["term"];
    LIST_TERMS = "SELECT id, ends_at, epoch, wrapped, mac FROM term WHERE shop = $1 ORDER BY ends_at";
    LIST_TERM_NUMBERS = "SELECT id FROM term WHERE shop = $1";
    LIST_ENDED_TERMS = "SELECT id FROM term WHERE shop = $1 AND ends_at <= $2 ORDER BY ends_at LIMIT 64";
    REWRAP_TERM = "UPDATE term SET wrapped = $1, mac = $2 WHERE id = $3";
    REMOVE_TERM = "DELETE FROM term WHERE id = $1";

    ADD_SUBJECT = "INSERT INTO subject (id, shop, standing, since, home, age, keys, mac) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                   ON CONFLICT (id) DO NOTHING";
    FIND_SUBJECT = "SELECT standing, since, home, age, keys, mac FROM subject WHERE id = $1 AND shop = $2", rests on ["subject"];
    CHANGE_SUBJECT = "UPDATE subject SET standing = $1, home = $2, age = $3, keys = $4, mac = $5 WHERE id = $6 AND shop = $7";
    REMOVE_SUBJECT = "DELETE FROM subject WHERE id = $1 AND shop = $2";
    LIST_SUBJECTS_AFTER = "SELECT id FROM subject WHERE id > $1 AND shop = $2 ORDER BY id LIMIT $3";
    COUNT_SUBJECTS = "SELECT standing, count(*) FROM subject WHERE shop = $1 GROUP BY standing";

    ADD_RECORD = "INSERT INTO record (id, shop, version, clear, sealed) VALUES ($1, $2, $3, $4, $5)
                  ON CONFLICT (id) DO NOTHING";
    CHANGE_RECORD = "UPDATE record SET version = $1, clear = $2, sealed = $3 WHERE id = $4 AND shop = $5 AND version = $6";
    REMOVE_RECORD = "DELETE FROM record WHERE id = $1 AND shop = $2 AND version = $3";
    FIND_RECORD = "SELECT version, clear, sealed FROM record WHERE id = $1 AND shop = $2", rests on ["record"];
    FIND_VERSION = "SELECT version FROM record WHERE id = $1 AND shop = $2", rests on ["record"];
    LIST_RECORDS = "SELECT id, version, clear, sealed FROM record
                    WHERE id >= $1 AND id <= $2 AND shop = $3 ORDER BY id LIMIT $4";
    LIST_NEWEST_RECORDS = "SELECT id, version, clear, sealed FROM record
                           WHERE id >= $1 AND id <= $2 AND shop = $3 ORDER BY id DESC LIMIT $4";
    LIST_CLEAR = "SELECT id, version, clear FROM record WHERE id >= $1 AND id <= $2 AND shop = $3 ORDER BY id LIMIT $4";
    FIND_LAST_RECORD = "SELECT id FROM record WHERE id >= $1 AND id <= $2 AND shop = $3 ORDER BY id DESC LIMIT 1", rests on ["record"];
    LIST_RECORDS_AFTER = "SELECT id, version, clear, sealed FROM record WHERE id > $1 AND shop = $2 ORDER BY id LIMIT $3";
    COUNT_RECORDS = "SELECT count(*) FROM record WHERE shop = $1";

    CLAIM_LOOKUP = "INSERT INTO lookup (shop, blind, slot, record, mac) VALUES ($1, $2, $3, $4, $5)
                    ON CONFLICT (shop, blind, slot) DO NOTHING";
    HAS_CLAIM = "SELECT record FROM lookup WHERE shop = $1 AND blind = $2 AND slot = $3", rests on ["lookup"];
    FIND_LOOKUP = "SELECT lookup.slot, lookup.record, lookup.mac, record.clear
                   FROM lookup LEFT JOIN record ON record.id = lookup.record
                   WHERE lookup.shop = $1 AND lookup.blind = $2 AND lookup.slot = 0", rests on ["lookup", "record"];
    LIST_LOOKUPS = "SELECT lookup.slot, lookup.record, lookup.mac, record.clear
                    FROM lookup LEFT JOIN record ON record.id = lookup.record
                    WHERE lookup.shop = $1 AND lookup.blind = $2 ORDER BY lookup.slot LIMIT $3";
    HAS_LOOKUP = "SELECT record FROM lookup WHERE shop = $1 AND blind = $2 AND (slot = 0 OR slot = $3) AND record = $3 LIMIT 1";
    LIST_LOOKUPS_AFTER = "SELECT slot, record, mac, blind FROM lookup WHERE shop = $1 AND (blind, slot) > ($2, $3)
                          ORDER BY blind, slot LIMIT $4";
    REMOVE_LOOKUP = "DELETE FROM lookup WHERE shop = $1 AND blind = $2 AND slot = $3 AND record = $4";

    ADD_TOKEN = "INSERT INTO token (shop, token, record, field, recipient, made, since, mac)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (shop, token) DO NOTHING";
    FIND_TOKEN = "SELECT record, field, recipient, made, since, mac FROM token WHERE shop = $1 AND token = $2";
    LIST_TOKENS_AFTER = "SELECT record, field, recipient, made, since, mac, token FROM token
                         WHERE shop = $1 AND token > $2 ORDER BY token LIMIT $3";
    REMOVE_TOKENS = "DELETE FROM token WHERE shop = $1 AND token IN
                     (SELECT token FROM token WHERE shop = $1 AND record >= $2 AND record <= $3 LIMIT $4)";

    ADD_FILE = "INSERT INTO file (id, shop, record, field, state, since, mac) VALUES ($1, $2, $3, $4, $5, $6, $7)
                ON CONFLICT (id) DO NOTHING";
    FIND_FILE = "SELECT record, field, state, since, mac FROM file WHERE id = $1 AND shop = $2";
    HAS_FILE = "SELECT shop FROM file WHERE id = $1";
    SET_FILE_STATE = "UPDATE file SET state = $1, mac = $2 WHERE id = $3 AND shop = $4 AND state = $5";
    LIST_FILES_IN_STATE = "SELECT record, field, state, since, mac, id FROM file
                           WHERE state = $1 AND shop = $2 AND since <= $3 AND (since, id) > ($4, $5)
                           ORDER BY since, id LIMIT $6";
    LIST_FILES_AFTER = "SELECT record, field, state, since, mac, id FROM file WHERE id > $1 AND shop = $2 ORDER BY id LIMIT $3";
    REMOVE_FILE = "DELETE FROM file WHERE id = $1 AND shop = $2";
    ADD_CHUNK = "INSERT INTO file_chunk (id, sealed) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING";
    LIST_CHUNKS = "SELECT id, sealed FROM file_chunk WHERE id >= $1 AND id <= $2 ORDER BY id LIMIT $3";
    REMOVE_CHUNKS = "DELETE FROM file_chunk WHERE id IN
                     (SELECT id FROM file_chunk WHERE id >= $1 AND id <= $2 ORDER BY id LIMIT $3)";
    FIND_STRAY_CHUNK = "SELECT id FROM file_chunk WHERE id > $1 ORDER BY id LIMIT 1";

    ADD_DESTROYED = "INSERT INTO destroyed (key_id, shop, at) VALUES ($1, $2, $3) ON CONFLICT (key_id) DO NOTHING";
    FIND_DESTROYED = "SELECT at FROM destroyed WHERE key_id = $1", rests on ["destroyed"];
    LIST_DESTROYED = "SELECT key_id FROM destroyed ORDER BY at";
}

/// What a restore takes over from the database that it replaces: the generation of the ledger that is kept.
pub(crate) const KEEP_NEWEST: &str = "
    UPDATE main.shop SET generation = newest.generation, mac = newest.mac
        FROM kept.shop AS newest WHERE newest.id = main.shop.id;";

/// Of which shop a chunk is: its file's number stands in its own.
pub(crate) const SHOP_OF_CHUNK: &str = "(SELECT file.shop FROM file WHERE file.id = file_chunk.id >> 16)";
