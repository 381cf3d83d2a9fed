//! The fixed words of the policy format. Each list here is the whole list; the reader, the specification and
//! the suggestions for misspelt words all come from it.

use std::fmt;

/// A fixed list of words that a key of the file may hold.
pub(crate) trait Word: Copy + 'static {
    /// What the words are, for messages: "a basis".
    const WHAT: &'static str;
    const WORDS: &'static [&'static str];
    fn parse(text: &str) -> Option<Self>;
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$inner:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$inner])* $variant),+ }

        impl $name {
            /// Every word, in the order of the specification.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as the policy file writes it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The word of that spelling.
            pub fn find(text: &str) -> Option<Self> {
                match text { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl Word for $name {
            const WHAT: &'static str = $what;
            const WORDS: &'static [&'static str] = &[$($word),+];
            fn parse(text: &str) -> Option<Self> {
                Self::find(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::find(&text).ok_or_else(|| serde::de::Error::unknown_variant(&text, <Self as Word>::WORDS))
            }
        }
    };
}
pub(crate) use words;

words! {
    /// What a field's values are.
    FieldKind, "a kind of field" {
        /// Words, numbers with leading zeros, anything written.
        Text = "text",
        /// A civil date, `2026-11-22`.
        Date = "date",
        /// A whole number of 64 bits with sign.
        Integer = "integer",
        /// A decimal number of up to 38 digits, kept exactly.
        Decimal = "decimal",
        /// Yes or no.
        Boolean = "boolean",
        /// Bytes of a media type, such as a scan.
        File = "file",
    }
}

words! {
    /// How a text is brought into one form before it is sealed and indexed.
    Normalise, "a normaliser" {
        /// Kept as given.
        None = "none",
        /// Unicode NFKC, blanks at both ends removed.
        Text = "text",
        /// As `text`, then lower case.
        Lower = "lower",
        /// As `lower`, and it must look like an address.
        Email = "email",
        /// E.164, read with the calling code of the shop's region.
        Phone = "phone",
        /// The digits and nothing else.
        Digits = "digits",
        /// As `text`, then upper case.
        Upper = "upper",
    }
}

words! {
    /// How a value is shown to those who need not see all of it.
    Mask, "a mask" {
        /// `138****5678`
        Phone = "phone",
        /// `a***@shop.example`
        Email = "email",
        /// `陈**`, `A. M.`
        Name = "name",
        /// `**** 5678`
        Card = "card",
        /// `110****15`
        Id = "id",
        /// `****5678`
        Last4 = "last4",
        /// `陈****`
        First = "first",
        /// `****`
        All = "all",
    }
}

words! {
    /// A section of the notice. Where it stands depends on the law that its readers know.
    SectionId, "a section of the notice" {
        /// What, why, who gets it, how long, where: one row for each purpose.
        Summary = "summary",
        /// Who the shop is, and whom people turn to.
        Shop = "shop",
        /// Each purpose with its data and its ground.
        Purposes = "purposes",
        /// The list of all data, and where it comes from.
        Data = "data",
        /// Why sensitive data is needed, and what that means for people.
        Sensitive = "sensitive",
        /// What people say yes to, and how they take it back.
        Choices = "choices",
        /// Who outside the shop gets data.
        Recipients = "recipients",
        /// Whether data is sold, and how people stop that.
        Sale = "sale",
        /// How long data is kept, and what happens then.
        Retention = "retention",
        /// Where data goes abroad, and by which route.
        Abroad = "abroad",
        /// How data is protected.
        Safety = "safety",
        /// What machines decide or recommend.
        Automated = "automated",
        /// How children are treated.
        Minors = "minors",
        /// Rights, and how to use them.
        Rights = "rights",
        /// What a browser's signal does.
        Signals = "signals",
        /// Where to complain.
        Complaints = "complaints",
        /// How the notice changes, and its versions.
        Changes = "changes",
    }
}

words! {
    /// How a field can be searched.
    Index, "an index" {
        /// By blind index: equal after normalising.
        Exact = "exact",
    }
}

words! {
    /// Why the shop may use the data at all.
    Basis, "a basis" {
        /// The person said yes.
        Consent = "consent",
        /// The person said yes to this one thing, asked apart from everything else.
        SeparateConsent = "separate_consent",
        /// Needed for a contract with the person.
        Contract = "contract",
        /// A law demands it.
        LegalObligation = "legal_obligation",
        /// An interest of the shop that the person's interests do not outweigh; the person may object.
        LegitimateInterest = "legitimate_interest",
        /// To protect someone's life.
        VitalInterest = "vital_interest",
        /// A task in the public interest.
        PublicTask = "public_task",
    }
}

impl Basis {
    /// Does it stand only while the person's yes stands?
    pub const fn is_consent(self) -> bool {
        matches!(self, Self::Consent | Self::SeparateConsent)
    }

    /// Can the person end it by a word of theirs (withdraw, object)?
    pub const fn can_be_refused(self) -> bool {
        self.is_consent() || matches!(self, Self::LegitimateInterest)
    }
}

words! {
    /// An answer of the banner's first layer.
    WindowAnswer, "an answer of the window" {
        /// To everything that is asked together.
        Accept = "accept",
        /// To everything.
        Reject = "reject",
        /// One by one.
        Choose = "choose",
    }
}

words! {
    /// How heavy the text of a button is.
    Weight, "a weight" {
        /// As the window has it.
        Usual = "usual",
        /// Bold.
        Strong = "strong",
    }
}

words! {
    /// How large a button is.
    Size, "a size" {
        /// As the window has it.
        Usual = "usual",
        /// A quarter larger.
        Large = "large",
    }
}

words! {
    /// The unit of a period.
    Unit, "a unit" {
        /// Days.
        Days = "d",
        /// Weeks.
        Weeks = "w",
        /// Calendar months.
        Months = "mo",
        /// Calendar years.
        Years = "y",
    }
}

words! {
    /// What a recipient does for, or with, the shop.
    RecipientKind, "a kind of recipient" {
        /// Brings parcels.
        Logistics = "logistics",
        /// Moves money.
        Payment = "payment",
        /// Advertises.
        Marketing = "marketing",
        /// Runs the market the shop sells on.
        Marketplace = "marketplace",
        /// Acts on the shop's instructions only.
        Processor = "processor",
        /// A public authority; it signs no agreement.
        Authority = "authority",
        /// None of these.
        Other = "other",
    }
}

impl RecipientKind {
    /// What it usually is in the eyes of the law, unless the file says otherwise.
    pub const fn usual_role(self) -> RecipientRole {
        match self {
            Self::Logistics | Self::Processor => RecipientRole::Processor,
            Self::Payment | Self::Marketing | Self::Marketplace | Self::Authority | Self::Other => {
                RecipientRole::Handler
            }
        }
    }
}

words! {
    /// Where the shop sells.
    Channel, "a channel" {
        /// In a shop of its own.
        Own = "own",
        /// On JD.com.
        Jd = "jd",
        /// On Taobao.
        Taobao = "taobao",
        /// On Tmall, under Taobao's rules.
        Tmall = "tmall",
        /// On TikTok Shop.
        TiktokShop = "tiktok-shop",
        /// By Shopify.
        Shopify = "shopify",
        /// On Amazon.
        Amazon = "amazon",
    }
}

words! {
    /// What the shop is in the eyes of laws on electronic commerce.
    ShopRole, "what the shop is" {
        /// It sells.
        Merchant = "merchant",
        /// It runs the market on which others sell.
        PlatformOperator = "platform_operator",
    }
}

words! {
    /// How the shop treats people who may not decide for themselves yet.
    Minors, "a way to treat minors" {
        /// They may not become customers.
        NotServed = "not_served",
        /// They may, when a parent or guardian consents.
        WithGuardian = "with_guardian",
    }
}

words! {
    /// What a recipient is in the eyes of the law.
    RecipientRole, "what a recipient is" {
        /// It acts on the shop's instructions only (entrusted party, processor).
        Processor = "processor",
        /// It decides by itself what it does with the data (another handler, controller).
        Handler = "handler",
    }
}

words! {
    /// By which route data may leave the place whose law asks.
    Route, "a route abroad" {
        /// The law asks for none.
        Exempt = "exempt",
        /// The destination is held to protect data well enough.
        Adequacy = "adequacy",
        /// The standard contract of the authority.
        StandardContract = "standard_contract",
        /// A certificate.
        Certification = "certification",
        /// Rules of the group that an authority approved.
        BindingRules = "binding_rules",
        /// The authority assessed it.
        SecurityAssessment = "security_assessment",
        /// An assessment was filed with the authority.
        AssessmentFiling = "assessment_filing",
        /// A contract that asks for protection comparable with that at home.
        ComparableContract = "comparable_contract",
        /// The person consented to it, having been told of the risks.
        Consent = "consent",
    }
}

words! {
    /// What the shop gets for the data.
    Consideration, "a consideration" {
        /// Nothing.
        None = "none",
        /// Money.
        Sale = "sale",
        /// Something of value that is not money.
        Exchange = "exchange",
    }
}
