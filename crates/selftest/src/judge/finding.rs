//! What is found, with a stable code and words.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::trace::{Belongs, Kept, Request, Stage, Stored};

/// What is wrong. The words in English; those in Chinese are beside them in `words`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// A request to others before a choice.
    #[error("a request to others before any choice")]
    RequestBefore,
    /// A request to others after a refusal.
    #[error("a request to others after everything was refused")]
    RequestRefused,
    /// A request for a purpose that a yes to all does not reach.
    #[error("a request that a yes to all does not allow")]
    RequestBeyond,
    /// A request to others after a withdrawal.
    #[error("a request to others after the withdrawal")]
    RequestWithdrawn,
    /// A request to somebody whom nobody declared.
    #[error("a request to somebody whom nobody declared")]
    RequestUndeclared,
    /// A style sheet asks others for an image.
    #[error("a style sheet asks others for an image that was not allowed")]
    StylePixel,
    /// A beacon to others.
    #[error("a beacon to others that was not allowed")]
    Beacon,
    /// A cookie before a choice.
    #[error("a cookie before any choice")]
    CookieBefore,
    /// A cookie after a refusal.
    #[error("a cookie after everything was refused")]
    CookieRefused,
    /// A cookie of a purpose that a yes to all does not reach.
    #[error("a cookie that a yes to all does not allow")]
    CookieBeyond,
    /// A cookie that stays after a withdrawal.
    #[error("a cookie is left after the withdrawal")]
    CookieLeft,
    /// A cookie that nobody declared.
    #[error("a cookie that nobody declared")]
    CookieUndeclared,
    /// A storage key before a choice.
    #[error("a storage key before any choice")]
    StorageBefore,
    /// A storage key after a refusal.
    #[error("a storage key after everything was refused")]
    StorageRefused,
    /// A storage key of a purpose that a yes to all does not reach.
    #[error("a storage key that a yes to all does not allow")]
    StorageBeyond,
    /// A storage key that stays after a withdrawal.
    #[error("a storage key is left after the withdrawal")]
    StorageLeft,
    /// A storage key that nobody declared.
    #[error("a storage key that nobody declared")]
    StorageUndeclared,
    /// A service worker.
    #[error("a service worker that was not allowed")]
    Worker,
    /// There is something to choose, and no banner.
    #[error("there is something to choose, and nothing asks")]
    BannerMissing,
    /// There is no way to refuse.
    #[error("the banner has no way to refuse")]
    RefuseMissing,
    /// Refusing takes more clicks than accepting.
    #[error("to refuse takes more clicks than to accept")]
    RefuseLonger,
    /// The banner comes back after a refusal.
    #[error("after a refusal the next page asks again")]
    AskedAgain,
    /// There is no way to accept, so that nothing behind it could be tested.
    #[error("the banner has no way to accept, so that what comes after it could not be tested")]
    AcceptMissing,
    /// What was accepted cannot be withdrawn in two clicks.
    #[error("what was accepted cannot be withdrawn in two clicks")]
    WithdrawFar,
}

impl Fault {
    /// All of them, in the order of their codes.
    pub const ALL: [Fault; 24] = [
        Self::RequestBefore,
        Self::RequestRefused,
        Self::RequestBeyond,
        Self::RequestWithdrawn,
        Self::RequestUndeclared,
        Self::StylePixel,
        Self::Beacon,
        Self::CookieBefore,
        Self::CookieRefused,
        Self::CookieBeyond,
        Self::CookieLeft,
        Self::CookieUndeclared,
        Self::StorageBefore,
        Self::StorageRefused,
        Self::StorageBeyond,
        Self::StorageLeft,
        Self::StorageUndeclared,
        Self::Worker,
        Self::BannerMissing,
        Self::RefuseMissing,
        Self::RefuseLonger,
        Self::AskedAgain,
        Self::AcceptMissing,
        Self::WithdrawFar,
    ];

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::RequestBefore => "SR-SELFTEST-101",
            Self::RequestRefused => "SR-SELFTEST-102",
            Self::RequestBeyond => "SR-SELFTEST-103",
            Self::RequestWithdrawn => "SR-SELFTEST-104",
            Self::RequestUndeclared => "SR-SELFTEST-105",
            Self::StylePixel => "SR-SELFTEST-111",
            Self::Beacon => "SR-SELFTEST-112",
            Self::CookieBefore => "SR-SELFTEST-121",
            Self::CookieRefused => "SR-SELFTEST-122",
            Self::CookieBeyond => "SR-SELFTEST-123",
            Self::CookieLeft => "SR-SELFTEST-124",
            Self::CookieUndeclared => "SR-SELFTEST-125",
            Self::StorageBefore => "SR-SELFTEST-131",
            Self::StorageRefused => "SR-SELFTEST-132",
            Self::StorageBeyond => "SR-SELFTEST-133",
            Self::StorageLeft => "SR-SELFTEST-134",
            Self::StorageUndeclared => "SR-SELFTEST-135",
            Self::Worker => "SR-SELFTEST-141",
            Self::BannerMissing => "SR-SELFTEST-151",
            Self::RefuseMissing => "SR-SELFTEST-152",
            Self::RefuseLonger => "SR-SELFTEST-153",
            Self::AskedAgain => "SR-SELFTEST-154",
            Self::AcceptMissing => "SR-SELFTEST-155",
            Self::WithdrawFar => "SR-SELFTEST-156",
        }
    }
}

/// Something that was not allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// When.
    pub stage: Stage,
    /// The stable code of what is wrong.
    pub code: String,
    /// What is wrong.
    pub fault: Fault,
    /// The thing itself: origin and path of a request, or the name of what is kept; empty for the banner.
    pub what: String,
    /// Where: the host, or what made the browser ask.
    pub by: String,
    /// To whom it belongs; nothing for the banner.
    pub belongs: Option<Belongs>,
    /// How often it was seen.
    pub count: u32,
}

impl Finding {
    pub(super) fn of_the_banner(fault: Fault, stage: Stage) -> Finding {
        Finding::new(fault, stage, String::new(), String::new(), None)
    }

    pub(super) fn of_a_request(fault: Fault, request: &Request, belongs: &Belongs) -> Finding {
        let by = request.initiators.first().cloned().unwrap_or_default();
        Finding::new(fault, request.stage, request.address(), by, Some(belongs.clone()))
    }

    pub(super) fn of_stored(fault: Fault, stored: &Stored, belongs: &Belongs) -> Finding {
        Finding::new(
            fault,
            stored.stage,
            stored.kept.name.clone(),
            stored.kept.host.clone(),
            Some(belongs.clone()),
        )
    }

    fn new(fault: Fault, stage: Stage, what: String, by: String, belongs: Option<Belongs>) -> Finding {
        Finding { stage, code: fault.code().to_owned(), fault, what, by, belongs, count: 0 }
    }
}

/// Something that is left on the device, and that no page can take away: it is another site's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// When it was seen.
    pub stage: Stage,
    /// What it is.
    #[serde(flatten)]
    pub kept: Kept,
    /// To whom it belongs.
    pub belongs: Belongs,
}
