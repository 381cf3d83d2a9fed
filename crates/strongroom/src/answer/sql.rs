//! Every statement of the room. Its tables: code_asked, sign_in.

store::statements! {
    ADD_CODE = "INSERT INTO code_asked (id, shop, address, subject, code, asked_at, tries, mac) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    FIND_CODE = "SELECT address, subject, code, asked_at, tries, mac FROM code_asked WHERE id = $1 AND shop = $2";
    SET_TRIES = "UPDATE code_asked SET tries = $1, mac = $2 WHERE id = $3 AND shop = $4";
    REMOVE_CODE = "DELETE FROM code_asked WHERE id = $1 AND shop = $2";
    COUNT_CODES = "SELECT count(*) FROM code_asked WHERE shop = $1 AND asked_at > $2";
    COUNT_CODES_OF_ADDRESS = "SELECT count(*) FROM code_asked WHERE shop = $1 AND asked_at > $2 AND address = $3";
    REMOVE_OLD_CODES = "DELETE FROM code_asked WHERE shop = $1 AND asked_at <= $2";

    ADD_SIGN_IN = "INSERT INTO sign_in (id, shop, subject, began_at, confirmed_at, ends_at, mac) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    FIND_SIGN_IN = "SELECT subject, began_at, confirmed_at, ends_at, mac FROM sign_in WHERE id = $1 AND shop = $2";
    CONFIRM_SIGN_IN = "UPDATE sign_in SET confirmed_at = $1, mac = $2 WHERE id = $3 AND shop = $4";
    REMOVE_SIGN_IN = "DELETE FROM sign_in WHERE id = $1 AND shop = $2";
    REMOVE_OLD_SIGN_INS = "DELETE FROM sign_in WHERE shop = $1 AND ends_at <= $2";
}

/// What a restore does with what it finds: nobody is signed in, and no code counts.
pub(crate) const FORGET: &str = "DELETE FROM main.sign_in; DELETE FROM main.code_asked;";
