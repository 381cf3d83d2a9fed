//! Tokens: they stand for one field of one record, for one recipient, and are dead with the subject's key.

use store::{View, params};

use super::sql;
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
    let params = params![work.shop.column(), token, row.record.column(), row.field, recipient, made, work.now];
    Ok(work.tx.claim(&sql::ADD_TOKEN, params)?)
}

/// What a token stands for.
pub fn find_token(view: &View<'_>, shop: &Shop, token: &[u8; 16]) -> Result<Option<TokenRow>, Problem> {
    Ok(view.find(&sql::FIND_TOKEN, params![shop.column(), token], |row| {
        Ok(TokenRow {
            record: RecordId::from_column(row.int(0)?),
            field: row.number(1)?,
            recipient: u16::try_from(row.int(2)?).ok(),
            made: if row.int(3)? == 1 { Made::FromValue } else { Made::AtRandom },
        })
    })?)
}

/// Removes tokens of a subject behind its dead key. Gives how many went.
pub fn remove_tokens(subject: SubjectId, limit: u32, work: &mut Work<'_, '_>) -> Result<usize, Problem> {
    let (first, last) = RecordId::all_of(subject);
    Ok(work.tx.change(&sql::REMOVE_TOKENS, params![work.shop.column(), first.column(), last.column(), limit])?)
}
