//! What a visit leaves behind: requests, cookies, storage keys. Names, hosts and paths; never a value or a query string.

use serde::{Deserialize, Serialize};

/// When something was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Before any choice.
    Before,
    /// After everything was refused.
    Refused,
    /// After everything was accepted that can be accepted at once.
    Accepted,
    /// After that was withdrawn.
    Withdrawn,
}

impl Stage {
    /// All of them, in the order of time.
    pub const ALL: [Stage; 4] = [Stage::Before, Stage::Refused, Stage::Accepted, Stage::Withdrawn];
}

/// How a request was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// As requests are sent.
    Plain,
    /// An image that a style sheet asks for.
    Style,
    /// A beacon or a ping: sent without waiting for an answer, also when the page is left.
    Beacon,
}

/// A request of the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// When it was sent.
    pub stage: Stage,
    /// Scheme, host and port.
    pub origin: String,
    /// The host alone.
    pub host: String,
    /// The path, without a query.
    pub path: String,
    /// What kind of thing was asked for: `document`, `script`, `image`, …
    pub kind: String,
    /// How it was sent.
    pub way: Way,
    /// What made the browser send it, nearest first: origins and paths of scripts, styles and documents.
    pub initiators: Vec<String>,
    /// Is it of the page's own site, as the browser counts sites?
    pub own_site: bool,
}

impl Request {
    /// Origin and path.
    pub fn address(&self) -> String {
        format!("{}{}", self.origin, self.path)
    }
}

/// Where something is kept on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// A cookie.
    Cookie,
    /// `localStorage`.
    Local,
    /// `sessionStorage`.
    Session,
    /// A database of IndexedDB.
    Database,
    /// A cache of CacheStorage.
    Cache,
    /// A service worker, by its scope.
    Worker,
}

/// Something that is kept on the device.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Kept {
    /// What keeps it.
    pub place: Place,
    /// Whose it is: the domain of a cookie, without its first dot, or the host of a storage.
    pub host: String,
    /// Its name.
    pub name: String,
    /// A cookie that no script can read.
    #[serde(default)]
    pub http_only: bool,
}

/// Something that was found on the device at the end of a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// At the end of which stage.
    pub stage: Stage,
    /// What it is.
    #[serde(flatten)]
    pub kept: Kept,
}

/// What a page holds back, as it marks it: `data-purpose`, `data-recipient` and an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The purpose.
    pub purpose: String,
    /// The recipient; empty when none is named.
    pub recipient: String,
    /// The host of its address.
    pub host: String,
    /// Origin and path of its address.
    pub address: String,
}

/// To whom something belongs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Belongs {
    /// To the shop's own site.
    Shop,
    /// To what shows the choices: it keeps what was chosen.
    Window,
    /// To a purpose, and if it is known to a recipient.
    Purpose {
        /// Its name.
        purpose: String,
        /// Who receives.
        #[serde(skip_serializing_if = "Option::is_none")]
        recipient: Option<String>,
    },
    /// Nobody declared it.
    Undeclared,
}
