//! What was exported: every file by its digest, and of which policy it is.

use crate::words::Channel;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The number of the manifest's form.
pub const FORMAT: u32 = 1;

/// What was exported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// For which marketplace: `tmall`.
    pub marketplace: String,
    /// Were its sizes of pictures and its tags verified? They never were, so far.
    pub verified: bool,
    /// The shop's id.
    pub shop: String,
    /// The version of the policy; `null` for a draft.
    pub version: Option<u64>,
    /// The first day on which it holds, in the shop's zone.
    pub in_force: Option<String>,
    /// SHA-256 of the policy file, hex: what the ledger's entry of its publication holds too.
    pub policy: String,
    /// Languages of the files.
    pub languages: Vec<String>,
    /// Width and height of pictures at the most, in pixels; `null` where there are none.
    pub frame: Option<[u32; 2]>,
    /// The files, in the order in which they were written.
    pub files: Vec<Exported>,
}

/// A file of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exported {
    /// Where it is, from the folder of the manifest: `zh/notice-01.png`.
    pub path: String,
    /// Its sheet: `notice`, `card-rights`.
    pub sheet: String,
    /// Its language.
    pub language: String,
    /// What it is.
    pub form: Form,
    /// Its length.
    pub size_bytes: u64,
    /// SHA-256, hex.
    pub sha256: String,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// HTML for a storefront's editor.
    Html,
    /// Plain text.
    Text,
    /// A slice of the sheet as a picture.
    Picture,
    /// The code that leads to the whole notice, as a picture.
    Code,
}

/// How an export stands to a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is of this policy.
    Current,
    /// It is of another.
    Outdated,
}

impl Manifest {
    /// A manifest without files.
    ///
    /// *Takes* the marketplace, the shop's id, and the text of the policy file as it was published.
    pub fn of(market: Channel, shop: &str, policy: &str) -> Self {
        Self {
            format: FORMAT,
            marketplace: market.as_str().to_owned(),
            verified: false,
            shop: shop.to_owned(),
            version: None,
            in_force: None,
            policy: digest(policy.as_bytes()),
            languages: Vec::new(),
            frame: None,
            files: Vec::new(),
        }
    }

    /// How it stands to a policy file.
    pub fn standing(&self, policy: &str) -> Standing {
        if self.policy == digest(policy.as_bytes()) { Standing::Current } else { Standing::Outdated }
    }
}

impl Exported {
    /// A file by what is in it.
    pub fn of(path: String, sheet: &str, language: &str, form: Form, bytes: &[u8]) -> Self {
        Self {
            path,
            sheet: sheet.to_owned(),
            language: language.to_owned(),
            form,
            size_bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            sha256: digest(bytes),
        }
    }

    /// Is this what is in it?
    pub fn is(&self, bytes: &[u8]) -> bool {
        self.sha256 == digest(bytes)
    }
}

fn digest(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}
