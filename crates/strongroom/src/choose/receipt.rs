//! Receipts of choices: made again from what is kept. Each has the record of the choice in words that programs of others
//! read, the shop's signature under it, and the ledger's receipt.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use jiff::Timestamp;
use ledger::choice::ChoiceReceipt;
use ledger::entry::Entry as Entered;
use policy::dpv::{self, consent_record};
use seal::DataKey;
use serde::Serialize;

use super::{ChoiceRow, Said, opening_of};
use crate::ground::heads::{self, ReceiptBody};
use crate::ground::house::House;
use crate::ground::{EntryId, InForce, Problem, Shop, SubjectId, hex};
use crate::notice;

/// A receipt of a choice: for the OpenAPI document; the ledger's own type writes it (docs/spec/receipt.md).
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ChoiceReceipt)]
pub struct ChoiceReceiptBody {
    /// `strongroom/choice-receipt/1`.
    pub format: String,
    /// The record of the choice: JSON-LD with the fields of ISO/IEC TS 27560, in terms of DPV.
    #[schema(value_type = Object)]
    pub record: serde_json::Value,
    /// The same record, signed by the shop: compact JWS, EdDSA.
    pub jws: String,
    /// The ledger's receipt: what was entered, and when.
    pub ledger: ReceiptBody,
}

/// Receipts of choices of a subject, in their order.
///
/// Takes: whose choices they are, and the key that their commitments are salted with. A choice is left out if the notice that it
/// names says nothing of its purpose: then nobody can say what was shown. Fails: `SR-CHOOSE-006`, `SR-NOTICE-004`,
/// `SR-KEYS-006`.
pub async fn receipts(
    house: &Arc<House>,
    shop: &Arc<Shop>,
    (subject, key): (SubjectId, &DataKey),
    rows: &[ChoiceRow],
) -> Result<Vec<ChoiceReceipt>, Problem> {
    let (subject, now) = (house.ids.show(subject), shop.policy());
    let mut versions = BTreeMap::new();
    let mut receipts = Vec::with_capacity(rows.len());
    for row in rows {
        let version = match versions.entry(row.notice) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Version::find(house, shop, row.notice).await?),
        };
        let opening = opening_of(row, &subject, &now)?;
        let at = entered_at(house, row.entry).await?;
        let Some(record) = version.record_of(row, (&house.ids.show(row.id), &subject), at, &now) else {
            continue;
        };
        let salt = key.salt(at, opening.as_bytes());
        let receipt = heads::receipt(house, shop, row.entry, salt, &opening).await?;
        let signer = heads::signer(house, shop, row.entry.log())?;
        receipts.push(ChoiceReceipt::new(record, receipt, &signer)?);
    }
    Ok(receipts)
}

/// A published version, as it was read.
struct Version {
    published: Arc<InForce>,
    policy: policy::Policy,
}

impl Version {
    async fn find(house: &Arc<House>, shop: &Arc<Shop>, version: u32) -> Result<Version, Problem> {
        let now = shop.policy();
        let published = if now.version == version {
            now
        } else {
            let looking = Arc::clone(shop);
            let found = house.look(move |view| notice::find(view, &looking, version)).await?;
            Arc::new(found.ok_or_else(|| Problem::edited("policy"))?)
        };
        let policy = notice::policy_of(&published)?;
        Ok(Version { published, policy })
    }

    /// The record of a choice. `None` if this version has no such purpose.
    fn record_of(
        &self,
        row: &ChoiceRow,
        (id, subject): (&str, &str),
        entered_at: i64,
        now: &InForce,
    ) -> Option<serde_json::Value> {
        let instant = |at| Timestamp::from_microsecond(at).unwrap_or_default();
        let choice = dpv::Choice {
            id,
            subject,
            purpose: now.registry.purpose_name(row.purpose)?.as_str(),
            said: match row.said {
                Said::Granted => dpv::Said::Granted,
                Said::Refused => dpv::Said::Refused,
                Said::Withdrawn => dpv::Said::Withdrawn,
            },
            said_at: instant(row.at),
            entered_at: instant(entered_at),
            ends_at: (row.ends_at != 0).then(|| instant(row.ends_at)),
            way: &row.way,
            version: self.published.version,
            published: instant(self.published.at),
            digest: &hex(&self.published.digest),
            language: &row.language,
            seen: dpv::Seen { shown: &row.seen.shown, variant: &row.seen.variant, law: &row.seen.law },
        };
        consent_record(&self.policy, &choice)
    }
}

/// When an entry was made, µs UTC.
async fn entered_at(house: &Arc<House>, entry: EntryId) -> Result<i64, Problem> {
    let (log, leaf) = (entry.log(), entry.leaf());
    let broken = move || Problem::from(store::Error::BrokenLog { log, leaf });
    let found = house.look(move |view| Ok::<_, Problem>(view.leaf(log, leaf)?)).await?;
    let bytes = found.ok_or_else(broken)?;
    Ok(Entered::decode(&bytes).map_err(|_| broken())?.at)
}
