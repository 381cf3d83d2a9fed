//! Every finding has a code that never changes its meaning. This table is the only place where codes are made;
//! `docs/spec/policy.md` prints it and a test compares the two.

use serde::Serialize;
use std::fmt;

/// How bad is it?
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The policy cannot be used.
    Error,
    /// A law forbids it.
    Unlawful,
    /// A law may forbid it, or will unless something is done that the file does not show.
    Risky,
    /// The policy can be used; someone will regret it.
    Warning,
    /// Unlawful, if the law says what could not be verified that it says.
    Unverified,
    /// It could be better.
    Advice,
}

impl Severity {
    /// All of them, the worst first.
    pub const ALL: [Self; 6] =
        [Self::Error, Self::Unlawful, Self::Risky, Self::Warning, Self::Unverified, Self::Advice];

    /// The word for messages and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Unlawful => "unlawful",
            Self::Risky => "risky",
            Self::Warning => "warning",
            Self::Unverified => "unverified",
            Self::Advice => "advice",
        }
    }
}

macro_rules! codes {
    ($($number:literal $name:ident $severity:ident $title:literal;)+) => {
        /// What a finding is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $title] $name = $number),+ }

        impl Code {
            /// Every code, ascending.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// How bad findings of this code are.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity),+ }
            }

            /// What it means, in one line.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),+ }
            }
        }
    };
}

codes! {
    // Reading
     1 Syntax          Error   "the file is not valid TOML";
     2 TooLarge        Error   "the file is larger than 1 MiB";
     3 Format          Error   "the format number is missing or not one this version reads";
     4 UnknownKey      Error   "a key that the format does not have";
     5 MissingKey      Error   "a key that must be there is missing";
     6 WrongType       Error   "a value of another type than the key takes";
     7 BadName         Error   "a name that is not `[a-z][a-z0-9_-]*` of at most 40 characters, or is reserved";
     8 UnknownWord     Error   "a word that is not in the key's list";
    10 TooMany         Error   "more entries than a limit allows";
    11 Duplicate       Error   "the same entry twice in a list";
    12 Empty           Error   "a list that must not be empty is empty";
    13 BadText         Error   "a text for people that is empty, too long or holds hidden characters";
    14 Untranslated    Error   "a text for people is missing in one of the shop's languages";
    15 OtherLanguage   Warning "a text in a language that the shop does not list";
    // The shop
    20 Zone            Error   "a time zone that is not in the IANA database";
    21 Region          Error   "a region without a known calling code";
    22 Place           Error   "a country or jurisdiction that is not known";
    23 Language        Error   "a language tag that is not one";
    24 ReviewOverdue   Warning "a review is overdue";
    // Names that lead nowhere
    30 UnknownKind     Error   "a record kind that is not declared";
    31 UnknownField    Error   "a field that is not declared";
    32 UnknownPurpose  Error   "a purpose that is not declared";
    33 UnknownRecipient Error  "a recipient that is not declared";
    34 UnknownEvent    Error   "an event that its kind does not declare";
    35 NotInKind       Error   "a field that this record kind does not hold";
    36 HeldByNone      Warning "a field that no record kind holds";
    37 Parent          Error   "a record kind that belongs to itself, or to a kind that belongs to another";
    38 UnknownCategory Error   "a data category that the taxonomy does not have";
    39 UnknownUse      Error   "a data use that the taxonomy does not have";
    40 DeprecatedUse   Advice  "a data use that the taxonomy has replaced by another";
    // The window: what of the banner the shop sets
    41 RejectSteps     Error   "to reject takes more steps than to accept";
    42 FirstLayer      Error   "accept, reject and choose do not all stand on the first layer";
    43 RejectLast      Error   "reject stands behind both of the others";
    44 UnequalButtons  Error   "accept and reject differ in size, in weight, or in how they stand out";
    45 Contrast        Error   "a button that is hard to read, or two that are not equally easy to read";
    46 OnByDefault     Error   "a switch that is on before anybody touched it, where silence is no consent";
    47 PressingWords   Error   "words that shame, frighten, praise one answer, or put it off";
    48 DoubleNegative  Error   "a button that says no twice";
    49 BadColour       Error   "a colour that is not `#` and six digits";
    // Purposes and their fields
    50 Purposeless     Warning "a field that is used by no purpose";
    51 NoFields        Error   "a purpose without fields";
    52 Sensitive       Advice  "sensitive data on a basis that is seldom enough for it";
    53 NotSensitive    Warning "sensitive by its category, but declared not to be";
    54 Limit           Error   "a limit on persons that cannot be read, or that contradicts itself";
    // How long
    60 Retention       Error   "a retention or period that cannot be read";
    61 NoKeep          Error   "a purpose that does not say how long";
    62 NotWithdrawable Error   "`until withdrawn` or `ask_again` on a basis that is not consent";
    63 ConsentClock    Advice  "a purpose by consent whose retention does not mention withdrawal";
    64 MayNeverEnd     Advice  "a retention that waits for an event which may never come";
    65 CapBelowLaw     Error   "`at_most` ends before `must_keep`, from the same event";
    66 CapBelowKeep    Warning "`at_most` ends before `keep`, from the same event";
    67 WrongAnchor     Error   "a clock on an event that does not reach the record";
    68 NoLaw           Warning "`must_keep` without the law that demands it";
    69 RefusableDuty   Error   "`must_keep` on a basis that people can refuse";
    // Files
    70 Media           Error   "a file field without media types, or with one that is none";
    71 FileSize        Error   "a size that cannot be read, or is above 10 MB";
    72 NotAFile        Error   "media types or a size on a field that is not a file";
    // Fields: search and masks
    80 BadIndex        Error   "an index on a field that cannot be searched by value";
    81 UniqueNoIndex   Error   "unique without an index";
    82 UniqueShared    Advice  "unique on something that people share";
    83 NoMask          Warning "data that should never be shown in full has no mask";
    84 MaskedNoMask    Error   "a masked use of a field that has no mask";
    85 BadMask         Error   "a mask on a field that cannot be shown in part";
    86 BadNormalise    Error   "a normaliser on a field that is not text";
    87 IndexUnnormalised Advice "an index that misses the same value written otherwise";
    // Recipients
    90 UnusedRecipient Warning "a recipient that no purpose names";
    91 NoAgreement     Warning "data goes to a recipient without an agreement";
    92 AgreementEnded  Warning "an agreement has ended";
    93 AgreementEnds   Advice  "an agreement ends within 30 days";
    94 AgreementOrder  Error   "an agreement that ends before it was signed";
    95 AgreementAhead  Advice  "an agreement that is not yet in force";
    96 SaleCn          Error   "data of Chinese consumers is sold without separate consent";
    97 Sale            Warning "data is sold without consent";
    // The law, by the packs that apply
   100 NoPack          Advice   "a place that the shop serves has no pack: its law was not asked";
   101 NoGround        Unlawful "a basis that a law does not have";
   102 SensitiveGround Unlawful "a basis that a law does not take for sensitive data";
   103 SeparateConsent Unlawful "a consent that a law wants to be asked for apart from everything else";
   104 NoConsent       Unlawful "something that a law lets begin only when people say yes";
   105 NoWayOut        Unlawful "something that a law lets people end, on a basis that they cannot refuse";
   106 Banned          Unlawful "something that a law forbids";
   107 KeptTooShort    Unlawful "a record that is kept for less than a law demands";
   108 KeptTooLong     Unlawful "a record that is kept for longer than a law allows";
   109 NoRoute         Unlawful "data goes abroad without the route that a law asks for";
   110 OtherRoute      Unlawful "data goes abroad by another route than a law asks for";
   111 NoRepresentative Unlawful "nobody stands for the shop where a law asks for somebody";
   112 MinorsUnsaid    Risky    "the policy does not say how minors are treated";
   113 NotNecessary    Unlawful "a field that people must give, beyond what a law holds necessary";
   114 NotTold         Unlawful "the notice will lack what a law demands in it";
   115 MinorsUsed      Unlawful "data of children, and a policy that does not serve them";
}

impl Code {
    /// The code as people quote it: `SR-POL-031`.
    pub fn id(self) -> String {
        format!("SR-POL-{:03}", self as u16)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SR-POL-{:03}", *self as u16)
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
