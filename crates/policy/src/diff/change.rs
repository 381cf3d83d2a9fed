//! A change between two versions of a policy, and the codes of changes.

use crate::text::Name;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;

/// Does a change let more happen with data, or less?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// More.
    Widens,
    /// Less.
    Narrows,
    /// It cannot be said in one word: another event, another basis.
    Alters,
    /// Neither: words, labels, dates.
    Neutral,
}

macro_rules! change_codes {
    ($($number:literal $name:ident $title:literal;)+) => {
        /// What kind of change it is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ChangeCode { $(#[doc = $title] $name = $number),+ }

        impl ChangeCode {
            /// Every code, ascending.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// What it means, in one line.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),+ }
            }
        }
    };
}

change_codes! {
     1 KindAdded          "a record kind was added";
     2 KindRemoved        "a record kind was removed; its records reveal as a gap until they end";
     3 KindParent         "a record kind belongs to another kind than before (the registry refuses this)";
     4 KindFieldAdded     "a record kind holds one more field";
     5 KindFieldRemoved   "a record kind holds one field less; stored values reveal as a gap until they end";
     6 KindEvents         "a record kind declares other events";
     7 KindIs             "a record kind is something else in law";
    10 FieldKind          "a field's values are of another type (the registry refuses this)";
    11 FieldCategory      "a field is of another data category";
    12 FieldSensitive     "a field has become sensitive, or no longer is";
    13 FieldMask          "a field is masked otherwise";
    14 FieldIndex         "a field can be searched, or no longer";
    15 FieldUnique        "a field must be unique, or no longer";
    16 FieldNormalise     "a field is normalised otherwise; its index has to be made anew";
    17 FieldMedia         "a field takes files of other media types";
    18 FieldAtMost        "a field takes longer or shorter files";
    20 PurposeAdded       "a purpose was added";
    21 PurposeRemoved     "a purpose was removed; what only it used is no longer kept";
    22 PurposeUse         "a purpose is of another data use";
    23 PurposeBasis       "a purpose rests on another basis";
    24 PurposeFieldAdded  "a purpose uses one more field";
    25 PurposeFieldRemoved "a purpose uses one field less";
    26 PurposeMask        "a purpose sees a field masked, or no longer";
    27 PurposeOptional    "people may leave a field out, or no longer";
    28 PurposeKeep        "a purpose keeps data longer, shorter or from another event";
    29 PurposeMustKeep    "a law demands that data stay longer, shorter or from another event";
    30 PurposeAtMost      "the cap of a purpose is later, earlier or from another event";
    31 PurposeRecipientAdded "a purpose has one more recipient";
    32 PurposeRecipientRemoved "a purpose has one recipient less";
    33 PurposeSays        "a purpose is described in other words";
    34 PurposeLaw         "a purpose cites another law";
    35 PurposeLimit       "one credential may reach more persons for a purpose, or fewer";
    36 PurposeSimilar     "advertising is for similar goods only, or no longer";
    37 PurposeInPages     "a purpose has other cookies, or other keys of a browser's storage";
    38 PurposeAskAgain    "a yes ends sooner or later, or no longer by itself";
    39 PurposeWait        "whoever said no is asked again sooner or later";
    40 RecipientAdded     "a recipient was added";
    41 RecipientRemoved   "a recipient was removed";
    42 RecipientPlace     "a recipient is in another country";
    43 RecipientKind      "a recipient does something else for the shop";
    44 RecipientConsideration "the shop gets something else for the data";
    45 RecipientKeep      "a recipient keeps data longer, shorter or from another event";
    46 RecipientAgreement "the agreement with a recipient is another";
    47 RecipientRole      "a recipient decides by itself, or no longer";
    48 RecipientRoute     "data reaches a recipient abroad by another route";
    49 RecipientContact   "people reach a recipient otherwise";
    50 RoleAdded          "a role was added";
    51 RoleRemoved        "a role was removed";
    52 RolePurposeAdded   "a role may use one more purpose";
    53 RolePurposeRemoved "a role may use one purpose less";
    60 ShopServes         "the shop serves another country, or no longer";
    61 ShopKeptIn         "the data is kept in another country";
    62 ShopFacts          "the shop's name, zone, region or languages changed";
    63 ShopOfficer        "another person is responsible";
    64 Words              "labels or names for people changed";
    65 ShopSeat           "the shop has its seat in another country";
    66 ShopSellsOn        "the shop sells somewhere else, or no longer";
    67 ShopMinors         "minors are treated otherwise";
    68 ShopRepresentative "somebody else stands for the shop where it has no seat";
    69 ShopRole           "the shop is something else in the eyes of laws on electronic commerce";
    70 NoteAdded          "the shop added a note to its notice";
    71 NoteRemoved        "the shop took a note out of its notice";
    72 NoteWords          "a note says something else, or stands elsewhere";
    80 Window             "the window has other words, another order or another look";
    81 WindowOn           "a switch of the window is on, or no longer on, before anybody touched it";
}

impl fmt::Display for ChangeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SR-DIF-{:03}", *self as u16)
    }
}

impl Serialize for ChangeCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What kind of change it is.
    pub code: ChangeCode,
    /// What it is about, as a path of the file: `purpose.delivery`.
    pub about: String,
    /// More, or less?
    pub effect: Effect,
    /// What it was; empty if it was not there.
    pub before: String,
    /// What it is; empty if it is no longer there.
    pub after: String,
    /// The purposes whose granted choices it makes void.
    pub voids: BTreeSet<Name>,
}

impl Change {
    /// Must people be told of it? Whatever lets more happen, or otherwise than before.
    pub fn is_material(&self) -> bool {
        matches!(self.effect, Effect::Widens | Effect::Alters)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.before.as_str(), self.after.as_str()) {
            ("", "") => write!(f, "{}: {}", self.about, self.code.title()),
            ("", after) => write!(f, "{}: {}: {after}", self.about, self.code.title()),
            (before, "") => write!(f, "{}: {}: {before}", self.about, self.code.title()),
            (before, after) => write!(f, "{}: {}: {before} → {after}", self.about, self.code.title()),
        }
    }
}
