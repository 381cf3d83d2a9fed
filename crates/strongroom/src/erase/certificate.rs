//! The certificate of an erasure: what was destroyed, the two dates, what a law keeps, and the proof.

use ledger::receipt::Receipt;
use policy::{After, CompiledPurpose};
use seal::KeyId;
use serde::{Deserialize, Serialize};

use super::has_retained;
use crate::ground::clock::instant;
use crate::ground::heads::ReceiptBody;
use crate::ground::work::Work;
use crate::ground::work::field_names;
use crate::ground::{InForce, Problem};
use crate::keep::SubjectRow;

/// What a certificate says. Its text is what the ledger's entry commits to.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CertificateBody {
    /// The shop's id.
    pub shop: String,
    /// The subject's public id.
    pub subject: String,
    /// From this instant on nothing of it can be read here.
    pub unreadable_here_since: String,
    /// By this instant no copy can be read anywhere: not in a backup, a WAL archive, a replica.
    pub unreadable_everywhere_by: String,
    /// Ids of the destroyed keys; the ledger's entry and the list of destroyed keys name them too.
    pub destroyed_keys: Vec<String>,
    /// What a law keeps, for whom and why. It opens for these purposes only.
    pub retained: Vec<RetainedPurpose>,
    /// Version of the policy that says so.
    pub policy: u32,
}

/// What a law keeps.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RetainedPurpose {
    /// The purpose.
    pub purpose: String,
    /// The law, as the policy cites it.
    pub law: Option<String>,
    /// For how long, as the policy says it.
    pub must_keep: String,
    /// Which fields of which kinds of record, if the subject has such records; and the external id, under which the record is found.
    pub fields: Vec<String>,
}

/// A certificate: its body, and the receipt that proves it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Certificate {
    /// `strongroom-certificate/1`.
    pub format: String,
    /// The body, as text: exactly these bytes are what the entry commits to.
    pub body: String,
    /// Entry, opening, inclusion proof and signed head.
    pub receipt: Receipt,
}

/// What reads a certificate: for the OpenAPI document.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Certificate)]
pub struct CertificateText {
    /// `strongroom-certificate/1`.
    pub format: String,
    /// The body as JSON text: see `CertificateBody`.
    pub body: String,
    /// Entry, opening, inclusion proof and signed head; `ledger-verify receipt` checks it.
    pub receipt: ReceiptBody,
}

const FORMAT: &str = "strongroom-certificate/1";

impl Certificate {
    pub(super) fn new(body: String, receipt: Receipt) -> Certificate {
        Certificate { format: FORMAT.to_owned(), body, receipt }
    }

    /// The body, read.
    pub fn read_body(&self) -> Result<CertificateBody, Problem> {
        serde_json::from_str(&self.body).map_err(|_| Problem::edited("erasure"))
    }
}

impl CertificateBody {
    /// What an erasure comes to, by the policy in force.
    pub(super) fn of(
        after: &SubjectRow,
        destroyed: &[KeyId],
        everywhere_by: i64,
        work: &Work<'_, '_>,
    ) -> CertificateBody {
        let policy = &work.policy;
        let retained = if has_retained(after) {
            policy.compiled.purposes().filter_map(|purpose| retained(purpose, policy)).collect()
        } else {
            Vec::new()
        };
        CertificateBody {
            shop: work.shop.name.clone(),
            subject: work.ids.show(after.id),
            unreadable_here_since: instant(work.now),
            unreadable_everywhere_by: instant(everywhere_by),
            destroyed_keys: destroyed.iter().map(ToString::to_string).collect(),
            retained,
            policy: policy.version,
        }
    }

    pub(super) fn to_text(&self) -> Result<String, Problem> {
        serde_json::to_string(self)
            .map_err(|_| Problem::new("SR-ERASE-001", 500, "the certificate could not be written"))
    }
}

fn retained(purpose: &CompiledPurpose, policy: &InForce) -> Option<RetainedPurpose> {
    let must_keep = purpose.said.must_keep.as_ref()?;
    let fields = policy
        .compiled
        .kinds()
        .flat_map(|kind| {
            let mut names = field_names(policy, kind.ordinal(), kind.grant(purpose.ordinal).allowed);
            if !names.is_empty() {
                names.push(String::from("external_id")); // it stays as long as anything of its record does
            }
            names.into_iter().map(|field| format!("{}.{field}", kind.name()))
        })
        .collect();
    Some(RetainedPurpose {
        purpose: purpose.said.name.to_string(),
        law: purpose.said.law.clone(),
        must_keep: After::to_string(must_keep),
        fields,
    })
}
