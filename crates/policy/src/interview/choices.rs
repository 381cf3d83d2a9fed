//! The words that answers choose from.

use crate::words::{Channel, RecipientKind, RecipientRole, Word, words};
use std::fmt;

words! {
    /// Whose consumers a shop serves: the laws that an interview knows.
    Served, "whose consumers are served" {
        /// China's.
        Cn = "cn",
        /// The European Union's.
        Eu = "eu",
        /// California's.
        UsCa = "us-ca",
        /// Singapore's.
        Sg = "sg",
        /// Vietnam's.
        Vn = "vn",
    }
}

impl Served {
    /// The country in which most of these consumers are; of the Union's none.
    pub(super) const fn country(self) -> &'static str {
        match self {
            Self::Cn => "cn",
            Self::Eu => "eu",
            Self::UsCa => "us",
            Self::Sg => "sg",
            Self::Vn => "vn",
        }
    }
}

words! {
    /// What a shop does with data besides selling and delivering.
    Doing, "what is done besides selling" {
        /// It writes e-mail about its goods.
        MarketingEmail = "marketing_email",
        /// It sends text messages about its goods.
        MarketingSms = "marketing_sms",
        /// It suggests goods to each person.
        Recommendation = "recommendation",
        /// It counts what is bought.
        Statistics = "statistics",
        /// It clears parcels through customs, with identity numbers.
        Customs = "customs",
        /// It lets somebody who advertises have contacts.
        AdPartner = "ad_partner",
    }
}

words! {
    /// Who gets data, and what for.
    PartnerRole, "what a partner does" {
        /// Brings parcels.
        Courier = "courier",
        /// Takes payments.
        Payment = "payment",
        /// Clears parcels through customs.
        CustomsBroker = "customs-broker",
        /// Advertises.
        AdPartner = "ad-partner",
        /// Runs JD.com.
        Jd = "jd",
        /// Runs Taobao.
        Taobao = "taobao",
        /// Runs Tmall.
        Tmall = "tmall",
        /// Runs TikTok Shop.
        TiktokShop = "tiktok-shop",
    }
}

impl PartnerRole {
    /// The channel that it runs.
    pub(super) const fn channel(self) -> Option<Channel> {
        match self {
            Self::Jd => Some(Channel::Jd),
            Self::Taobao => Some(Channel::Taobao),
            Self::Tmall => Some(Channel::Tmall),
            Self::TiktokShop => Some(Channel::TiktokShop),
            Self::Courier | Self::Payment | Self::CustomsBroker | Self::AdPartner => None,
        }
    }

    /// What the policy calls it.
    pub(super) const fn kind(self) -> RecipientKind {
        match self {
            Self::Courier => RecipientKind::Logistics,
            Self::Payment => RecipientKind::Payment,
            Self::CustomsBroker => RecipientKind::Other,
            Self::AdPartner => RecipientKind::Marketing,
            Self::Jd | Self::Taobao | Self::Tmall | Self::TiktokShop => RecipientKind::Marketplace,
        }
    }

    /// Does it act on instructions, or decide by itself? A customs broker decides, as platforms and payment institutions do.
    pub(super) const fn acts_as(self) -> RecipientRole {
        self.kind().usual_role()
    }

    /// The word in Chinese and the other words that people write for it.
    pub(super) const fn also_called(self) -> &'static [&'static str] {
        match self {
            Self::Courier => &["快递", "物流", "快递公司"],
            Self::Payment => &["支付", "支付机构"],
            Self::CustomsBroker => &["报关", "报关行", "broker"],
            Self::AdPartner => &["广告", "广告合作方", "ads"],
            Self::Jd => &["京东"],
            Self::Taobao => &["淘宝"],
            Self::Tmall => &["天猫"],
            Self::TiktokShop => &["tiktok", "tiktok shop"],
        }
    }
}
