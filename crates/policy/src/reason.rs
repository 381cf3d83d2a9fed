//! Why the gate answered as it did: stable numbers for the ledger, words for people.

use crate::record::Language;
use crate::set::FieldMask;
use std::fmt;

macro_rules! reasons {
    ($($number:literal $variant:ident $name:literal $en:literal $zh:literal;)+) => {
        /// A reason of the gate. Numbers and names never change their meaning; they stand in the ledger.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum ReasonId { $(#[doc = $en] $variant = $number),+ }

        impl ReasonId {
            /// Every reason, ascending.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The reason of that number.
            pub const fn from_number(number: u16) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)+ _ => None }
            }

            /// Its name in APIs: `outside_purpose`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What it says to people, in English.
            pub const fn english(self) -> &'static str {
                match self { $(Self::$variant => $en),+ }
            }

            /// What it says to people, in Chinese.
            pub const fn chinese(self) -> &'static str {
                match self { $(Self::$variant => $zh),+ }
            }
        }
    };
}

reasons! {
     1 ActNotAllowed     "act_not_allowed"      "Your role does not include this act."                            "您的角色不包含此操作。";
     2 Frozen            "frozen"               "Your access is frozen while an incident is looked into."         "因事件调查，您的访问已被冻结。";
     3 TrainingLapsed    "training_lapsed"      "Your training has lapsed; renew it first."                       "您的培训已过期，请先完成培训。";
     4 PurposeMissing    "purpose_missing"      "No purpose was named."                                           "未说明处理目的。";
     5 PurposeUnknown    "purpose_unknown"      "The policy has no such purpose."                                 "隐私政策中没有此处理目的。";
     6 PurposeNotYours   "purpose_not_yours"    "You may not act for this purpose."                               "您无权为此目的处理信息。";
     7 NoChoice          "no_choice"            "The person has not agreed to this."                              "当事人未同意此项处理。";
     8 Objected          "objected"             "The person has refused this, withdrawn from it or objected."     "当事人已拒绝、撤回或反对此项处理。";
     9 Ended             "ended"                "The time for this purpose is over."                              "此目的的保存期限已届满。";
    10 Erased            "erased"               "The person's data has been erased; only legal duties remain."    "当事人的信息已删除，仅保留法定义务所需部分。";
    11 Restricted        "restricted"           "The use of the person's data is restricted."                     "当事人的信息已被限制处理。";
    12 RecipientMissing  "recipient_missing"    "No recipient was named."                                         "未说明接收方。";
    13 RecipientNotListed "recipient_not_listed" "The policy does not name this recipient for the purpose."       "隐私政策未就此目的列明该接收方。";
    14 NoAgreement       "no_agreement"         "There is no agreement with the recipient."                       "尚未与接收方签订协议。";
    15 AgreementEnded    "agreement_ended"      "The agreement with the recipient has ended."                     "与接收方的协议已到期。";
    16 KindUnknown       "kind_unknown"         "The policy no longer knows this kind of record."                 "隐私政策不再包含此类记录。";
    17 NoPurpose         "no_purpose"           "No purpose needs these fields."                                  "没有任何目的需要这些字段。";
    18 OutsidePurpose    "outside_purpose"      "These fields are not part of the purpose."                       "这些字段不属于该处理目的。";
    19 NotRetained       "not_retained"         "No law demands that these fields stay."                          "法律未要求保留这些字段。";
    20 NotIndexed        "not_indexed"          "These fields cannot be searched."                                "这些字段不可检索。";
    21 UnknownField      "unknown_field"        "The policy no longer says what these fields are."                "隐私政策不再说明这些字段的含义。";
    22 KeptForHold       "kept_for_hold"        "The record is kept for a legal hold only."                       "该记录仅因法律保全而保留。";
    23 Unlawful          "unlawful"             "A law that applies does not allow this purpose on its ground."   "适用的法律不允许以此为依据进行此项处理。";
    24 NotForMinors      "not_for_minors"       "A law that applies does not allow this with minors."             "适用的法律不允许对未成年人进行此项处理。";
    25 NoRoute           "no_route"             "A law that applies does not allow this transfer."                "适用的法律不允许向该接收方提供信息。";
}

impl ReasonId {
    /// Its number in the ledger.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// Is it a law's? Whoever gets it is told the articles ([`Compiled::barred_by`](crate::Compiled::barred_by)).
    pub const fn is_of_law(self) -> bool {
        matches!(self, Self::Unlawful | Self::NotForMinors | Self::NoRoute)
    }

    /// What it says to people: in Chinese for `zh` and its kin, else in English.
    pub fn text(self, language: &str) -> &'static str {
        match Language::beside(language) {
            Language::Zh => self.chinese(),
            Language::En => self.english(),
        }
    }
}

impl fmt::Display for ReasonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One reason of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Which.
    pub id: ReasonId,
    /// The fields it is about; `None` when it is about the whole flow.
    pub fields: Option<FieldMask>,
}

/// At most so many reasons are about some fields only: as many as one act can have.
const MOST_PARTIAL: usize = 6;

/// The reasons of one decision, without allocation: a set for the whole flow, a short list for some fields.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Reasons {
    whole: u32,
    ids: [u16; MOST_PARTIAL],
    masks: [FieldMask; MOST_PARTIAL],
}

impl Reasons {
    /// No reasons.
    pub const NONE: Self = Self { whole: 0, ids: [0; MOST_PARTIAL], masks: [FieldMask::EMPTY; MOST_PARTIAL] };

    /// The reasons, those for the whole flow first.
    pub fn iter(&self) -> impl Iterator<Item = Reason> {
        let bits = self.whole;
        let whole = ReasonId::ALL
            .iter()
            .filter(move |id| bits >> id.number() & 1 == 1)
            .map(|id| Reason { id: *id, fields: None });
        let ids = self.ids.iter().filter_map(|number| ReasonId::from_number(*number));
        let partial = ids.zip(&self.masks).map(|(id, fields)| Reason { id, fields: Some(*fields) });
        whole.chain(partial)
    }

    /// Is there none?
    pub const fn is_empty(&self) -> bool {
        self.whole == 0 && self.ids[0] == 0
    }

    /// Is this among them?
    pub fn has(&self, id: ReasonId) -> bool {
        self.iter().any(|reason| reason.id == id)
    }

    pub(crate) const fn add(&mut self, id: ReasonId) {
        self.whole |= 1 << id.number();
    }

    /// These, and the other's for the whole flow.
    pub(crate) const fn and_whole(mut self, other: Self) -> Self {
        self.whole |= other.whole;
        self
    }

    pub(crate) fn add_fields(&mut self, id: ReasonId, fields: FieldMask) {
        if fields.is_empty() {
            return;
        }
        let free = self.ids.iter_mut().zip(&mut self.masks).find(|(number, _)| **number == 0);
        if let Some((number, mask)) = free {
            (*number, *mask) = (id.number(), fields);
        }
    }
}

impl fmt::Debug for Reasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fit_the_set_and_lead_back() {
        for id in ReasonId::ALL {
            assert!(id.number() < 32);
            assert_eq!(ReasonId::from_number(id.number()), Some(*id));
            assert!(!id.text("en").is_empty() && id.text("zh-CN") == id.chinese());
        }
    }

    #[test]
    fn reasons_come_back_as_they_went_in() {
        let mut reasons = Reasons::NONE;
        reasons.add(ReasonId::Frozen);
        reasons.add_fields(ReasonId::NoPurpose, FieldMask::EMPTY);
        reasons.add_fields(ReasonId::NoChoice, FieldMask::only(3));
        let found: Vec<_> = reasons.iter().collect();
        let whole = Reason { id: ReasonId::Frozen, fields: None };
        assert_eq!(found, [whole, Reason { id: ReasonId::NoChoice, fields: Some(FieldMask::only(3)) }]);
    }
}
