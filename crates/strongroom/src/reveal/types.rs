//! What is asked of the door, and the permit that it gives.

use std::sync::Arc;

use policy::{Decision, FieldMask};
use seal::{GroupHead, Place, Wrapped};

use crate::ground::permits::InUse;
use crate::ground::{EntryId, InForce, RecordId, Shop, SubjectId};
use crate::keep::RecordRow;
use crate::keep::types::EXTERNAL_ID;

/// Which records of whom are wanted.
#[derive(Debug, Clone)]
pub enum Target {
    /// One record, and the records that it belongs to.
    Record(RecordId),
    /// The same, by a hash of its external id.
    External([u8; 16]),
    /// Records of a subject.
    Subject(SubjectId),
    /// Records of the subject of the record with this hash of an external id.
    SubjectExternal([u8; 16]),
    /// Records of the one subject that a lookup leads to.
    Matching(Vec<[u8; 16]>),
}

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Ask {
    /// For which purpose.
    pub purpose: u16,
    /// Of what.
    pub target: Target,
    /// Only of these kinds; `None` for all that the purpose uses.
    pub kinds: Option<Vec<u8>>,
    /// Only these fields, per kind; `None` for all that the purpose uses.
    pub fields: Option<Vec<(u8, FieldMask)>>,
    /// Mask more than the purpose does.
    pub mask_all: bool,
    /// Records at the most.
    pub limit: u32,
}

/// The yes of the gate for one record, with everything that opening it takes.
#[derive(Debug)]
pub struct Item {
    /// The record as the transaction saw it.
    pub row: RecordRow,
    /// What the gate said.
    pub decision: Decision,
    /// When the purpose's time with the record is over, µs UTC; `None` while that is not known.
    pub until: Option<i64>,
    /// Fields that the gate allowed, that the record has, and whose keys live: these are opened.
    pub there: FieldMask,
    /// Fields that the gate allowed and whose key is destroyed.
    pub gone: FieldMask,
    /// Keys of the groups, as the transaction saw their rows.
    pub keys: Vec<GroupKey>,
}

/// The keys of one group, wrapped.
#[derive(Debug)]
pub struct GroupKey {
    /// The group.
    pub head: GroupHead,
    /// The subject's key.
    pub subject: Wrapped,
    /// The term's number, and its key.
    pub term: (u64, Wrapped),
}

/// A gate's yes, made in a transaction. It opens nothing before it has been committed: see [`super::Permit`].
#[derive(Debug)]
pub struct Granted {
    /// The subject; of a search that found several, the first.
    pub subject: SubjectId,
    /// The shop.
    pub shop: Arc<Shop>,
    /// The policy that allowed it.
    pub policy: Arc<InForce>,
    /// Its entry; of a search that found several subjects, the first one's.
    pub entry: EntryId,
    /// The records, with what is allowed of each.
    pub items: Vec<Item>,
    /// There are more records than these: past the number that was asked for, or past what is read at once.
    pub more: bool,
    /// Mask more than the purpose does.
    pub mask_all: bool,
    pub(super) in_use: InUse,
}

impl Granted {
    pub(super) fn covers(&self, place: &Place, field: u8) -> bool {
        self.items.iter().any(|item| {
            item.row.place(self.shop.number) == *place
                && (item.decision.fields.has(field) || field == EXTERNAL_ID)
        })
    }
}
