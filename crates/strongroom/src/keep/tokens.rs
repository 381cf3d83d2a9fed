//! Tokens: they stand for one field of one record, for one recipient, and are dead with the subject's key.

use store::{Row, View, params};

use super::sql;
use crate::ground::problem::Looked;
use crate::ground::work::Work;
use crate::ground::{Problem, RecordId, Shop, SubjectId};

/// How a token was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// At random: two requests get two tokens.
    AtRandom,
    /// From the value, under the subject's key: the same value gets the same token, for one recipient and field.
    FromValue,
}

/// A token's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenRow {
    /// The record.
    pub record: RecordId,
    /// The field.
    pub field: u8,
    /// The recipient; `None` for the shop itself.
    pub recipient: Option<u16>,
    /// How it was made.
    pub made: Made,
}

/// Keeps a token. Gives whether it is new.
pub fn add_token(token: &[u8; 16], row: &TokenRow, work: &mut Work<'_, '_>) -> Result<bool, Problem> {
    let made = match row.made {
        Made::AtRandom => 0,
        Made::FromValue => 1,
    };
    let recipient = row.recipient.map_or(-1, i64::from);
    let (shop, since) = (work.shop, work.now);
    let columns = columns(shop, [row.record.column(), row.field.into(), recipient, made, since]);
    let mac = shop.keys.row_mac(TOKEN, &[token, &columns])?;
    let params = params![shop.column(), token, row.record.column(), row.field, recipient, made, since, &mac];
    Ok(work.tx.claim(&sql::ADD_TOKEN, params)?)
}

/// What a token stands for. Fails: `SR-KEEP-004` when its row was edited: it may stand for another value.
pub fn find_token(view: &View<'_>, shop: &Shop, token: &[u8; 16]) -> Result<Option<TokenRow>, Problem> {
    let found = view.find(&sql::FIND_TOKEN, params![shop.column(), token], read_token)?;
    found.map(|row| whole_token(shop, token, &row)).transpose()
}

/// Tokens behind one, page by page, and whether each is as it was written; for the deep check.
pub fn list_tokens_after(
    view: &View<'_>,
    shop: &Shop,
    after: &[u8],
    limit: u32,
) -> Result<Looked<Vec<u8>, TokenRow>, Problem> {
    let rows = view.list(&sql::LIST_TOKENS_AFTER, params![shop.column(), after, limit], |row| {
        Ok((row.bytes(6)?.to_vec(), read_token(row)?))
    })?;
    let look = |(token, row): (Vec<u8>, RawToken)| {
        let found = whole_token(shop, &token, &row);
        (token, found)
    };
    Ok(rows.into_iter().map(look).collect())
}

const TOKEN: &str = "token";

/// A token's row: record, field, recipient, how made, since; MAC.
type RawToken = ([i64; 5], [u8; 16]);

fn read_token(row: &Row<'_>) -> Result<RawToken, store::Error> {
    // A MAC of another length is none that fits.
    let mac = row.array(5).unwrap_or_default();
    Ok(([row.int(0)?, row.int(1)?, row.int(2)?, row.int(3)?, row.int(4)?], mac))
}

fn whole_token(shop: &Shop, token: &[u8], (numbers, mac): &RawToken) -> Result<TokenRow, Problem> {
    let edited = || Problem::edited(TOKEN);
    shop.keys.row_is_whole(TOKEN, &[token, &columns(shop, *numbers)], mac).map_err(|_| edited())?;
    let [record, field, recipient, made, _] = *numbers;
    Ok(TokenRow {
        record: RecordId::from_column(record),
        field: u8::try_from(field).map_err(|_| edited())?,
        recipient: u16::try_from(recipient).ok(),
        made: if made == 1 { Made::FromValue } else { Made::AtRandom },
    })
}

fn columns(shop: &Shop, numbers: [i64; 5]) -> Vec<u8> {
    [shop.column()].iter().chain(&numbers).flat_map(|number| number.to_be_bytes()).collect()
}

/// Removes tokens of a subject behind its dead key. Gives how many went.
pub fn remove_tokens(subject: SubjectId, limit: u32, work: &mut Work<'_, '_>) -> Result<usize, Problem> {
    let (first, last) = RecordId::all_of(subject);
    Ok(work
        .tx
        .change(&sql::REMOVE_TOKENS, params![work.shop.column(), first.column(), last.column(), limit])?)
}
