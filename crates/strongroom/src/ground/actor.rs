//! Who acts, and what their role lets them do at all. What data they may use is the gate's question, not this one's.

use std::fmt;

use ledger::entry::Actor as Entered;
use policy::{Limit, PurposeSet};
use seal::Secret;
use serde::{Deserialize, Serialize};

use super::ids::{CredentialId, Id, SubjectId};

/// What a credential is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Puts data in and can read nothing: forms, imports, webhooks.
    Intake,
    /// A service of the shop: puts in, and uses data for the purposes that it was given.
    Service,
    /// The privacy officer: sees what is kept, records choices, erases.
    Officer,
    /// Reads the ledger.
    Auditor,
    /// Publishes policies, makes and revokes credentials. Sees no personal data.
    Admin,
    /// The pages of the shop: shows visitors what they can choose, and takes what they choose. Its key is no secret: it can
    /// read, search and find out nothing else.
    Window,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 6] =
        [Role::Intake, Role::Service, Role::Officer, Role::Auditor, Role::Admin, Role::Window];

    /// Its name in policies, commands and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Role::Intake => "intake",
            Role::Service => "service",
            Role::Officer => "officer",
            Role::Auditor => "auditor",
            Role::Admin => "admin",
            Role::Window => "window",
        }
    }

    /// The role of a name.
    pub fn parse(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Its number in rows.
    pub fn number(self) -> u8 {
        match self {
            Role::Intake => 1,
            Role::Service => 2,
            Role::Officer => 3,
            Role::Auditor => 4,
            Role::Admin => 5,
            Role::Window => 6,
        }
    }

    /// The role of a number.
    pub fn from_number(number: u8) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.number() == number)
    }
}

/// What can be done. Every route names one; a test prints the table of roles against routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Deed {
    /// Put records in.
    Collect,
    /// Say that something happened to a record.
    Happen,
    /// Record a choice.
    Choose,
    /// Use fields for a purpose.
    Reveal,
    /// Look for a value.
    Search,
    /// See what is kept about a subject, without values.
    Find,
    /// Exchange a field for a token, or a token for a field.
    Token,
    /// Erase a subject.
    Erase,
    /// Read entries and proofs.
    ReadLedger,
    /// Read the policy in force.
    ReadPolicy,
    /// Publish a policy.
    Publish,
    /// Make, list, revoke, freeze and unfreeze credentials.
    Credentials,
    /// Ask that a credential may reach more persons, and see what was asked.
    AskApproval,
    /// Approve that, or refuse to.
    Approve,
    /// Ask what laws want. It touches no personal data.
    AskLaw,
    /// Take what a visitor of the shop's pages chooses.
    TakeChoices,
    /// Send somebody a one-time code, and hear whether they gave it back.
    Challenge,
    /// See, correct and choose about what is one's own.
    SeeOwn,
}

impl Deed {
    /// All of them.
    pub const ALL: [Deed; 18] = [
        Deed::Collect,
        Deed::Happen,
        Deed::Choose,
        Deed::Reveal,
        Deed::Search,
        Deed::Find,
        Deed::Token,
        Deed::Erase,
        Deed::ReadLedger,
        Deed::ReadPolicy,
        Deed::Publish,
        Deed::Credentials,
        Deed::AskApproval,
        Deed::Approve,
        Deed::AskLaw,
        Deed::TakeChoices,
        Deed::Challenge,
        Deed::SeeOwn,
    ];

    /// May this role do it at all?
    pub fn allowed_to(self, role: Role) -> bool {
        use Role::{Admin, Auditor, Intake, Officer, Service, Window};
        match self {
            Deed::Collect | Deed::Happen => matches!(role, Intake | Service),
            Deed::Choose => matches!(role, Intake | Service | Officer),
            Deed::Reveal | Deed::Search | Deed::Find => matches!(role, Service | Officer),
            Deed::Token => matches!(role, Service),
            Deed::Erase => matches!(role, Officer),
            Deed::ReadLedger => matches!(role, Auditor | Officer),
            Deed::ReadPolicy | Deed::AskLaw => matches!(role, Intake | Service | Officer | Auditor | Admin),
            Deed::Publish | Deed::Credentials => matches!(role, Admin),
            Deed::AskApproval => matches!(role, Service | Officer | Admin),
            Deed::Approve => matches!(role, Officer | Admin),
            Deed::TakeChoices => matches!(role, Window),
            Deed::Challenge => matches!(role, Service | Officer),
            // No role: the person alone, who has signed in.
            Deed::SeeOwn => false,
        }
    }

    /// May somebody at the machine do it, who has the data folder and the keys in their hands anyway?
    /// Using personal data for a purpose always takes a credential that has the purpose.
    pub fn allowed_to_operator(self) -> bool {
        !matches!(
            self,
            Deed::Reveal | Deed::Search | Deed::Token | Deed::TakeChoices | Deed::Challenge | Deed::SeeOwn
        )
    }
}

/// Who acts, before the transaction has looked.
#[derive(Debug, Clone)]
pub enum Actor {
    /// Somebody with a credential.
    Credential(Presented),
    /// Somebody at the machine, by a command over the socket or on the folder itself.
    Operator,
    /// Strongroom itself: its scheduler.
    House,
    /// A person who has signed in, on what is their own.
    Subject(SubjectId),
}

/// A credential as it was presented: its number, and a hash of its secret part.
#[derive(Clone)]
pub struct Presented {
    /// Which credential it says it is.
    pub id: CredentialId,
    /// SHA-256 of the secret part.
    pub hash: std::sync::Arc<Secret<32>>,
    /// Keyed hash of the person on whose behalf it acts, if it said one.
    pub on_behalf_of: Option<[u8; 16]>,
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Presented(..)")
    }
}

/// Who acts, as the transaction has found: read in it, so a credential revoked a moment ago does nothing.
#[derive(Debug, Clone, Copy)]
pub struct ActorFacts {
    /// How entries name the actor.
    pub entered: Entered,
    /// The role of a credential; `None` for operator and house.
    pub role: Option<Role>,
    /// The purposes that the credential was given.
    pub purposes: PurposeSet,
    /// How many persons it may reach over all of them, if it was given a limit of its own.
    pub limit: Option<Limit>,
    kind: ActorKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ActorKind {
    Credential,
    Operator,
    House,
    Subject(SubjectId),
}

impl ActorFacts {
    /// A credential whose row has been read.
    pub fn credential(
        id: CredentialId,
        role: Role,
        purposes: PurposeSet,
        limit: Option<Limit>,
        on_behalf_of: Option<[u8; 16]>,
    ) -> ActorFacts {
        let entered = Entered { on_behalf_of, ..Entered::credential(id.number()) };
        ActorFacts { entered, role: Some(role), purposes, limit, kind: ActorKind::Credential }
    }

    /// Somebody at the machine.
    pub fn operator() -> ActorFacts {
        ActorFacts {
            entered: Entered::operator(),
            role: None,
            purposes: PurposeSet::EMPTY,
            limit: None,
            kind: ActorKind::Operator,
        }
    }

    /// Strongroom itself.
    pub fn house() -> ActorFacts {
        ActorFacts {
            entered: Entered::house(),
            role: None,
            purposes: PurposeSet::EMPTY,
            limit: None,
            kind: ActorKind::House,
        }
    }

    /// A person who has signed in.
    pub fn subject(subject: SubjectId) -> ActorFacts {
        ActorFacts {
            entered: Entered::subject(),
            role: None,
            purposes: PurposeSet::EMPTY,
            limit: None,
            kind: ActorKind::Subject(subject),
        }
    }

    /// May this actor touch what is this subject's? A person only what is their own; whoever else, the gate is asked.
    pub fn may_touch(&self, subject: SubjectId) -> bool {
        match self.kind {
            ActorKind::Subject(own) => own == subject,
            ActorKind::Credential | ActorKind::Operator | ActorKind::House => true,
        }
    }

    /// May this actor do this at all?
    pub fn may(&self, deed: Deed) -> bool {
        match self.kind {
            ActorKind::Credential => self.role.is_some_and(|role| deed.allowed_to(role)),
            ActorKind::Operator => deed.allowed_to_operator(),
            // People ask for a code by a page of the house's own.
            ActorKind::House => matches!(deed, Deed::Erase | Deed::Collect | Deed::Challenge),
            ActorKind::Subject(_) => matches!(deed, Deed::SeeOwn | Deed::Collect | Deed::Choose),
        }
    }

    /// What the gate needs to know of the role.
    pub fn acts(&self) -> policy::ActSet {
        let mut acts = policy::ActSet::NONE;
        for (deed, act) in [
            (Deed::Collect, policy::Act::Collect),
            (Deed::Reveal, policy::Act::Reveal),
            (Deed::Search, policy::Act::Search),
            (Deed::Token, policy::Act::Share),
            (Deed::SeeOwn, policy::Act::Answer),
        ] {
            if self.may(deed) {
                acts = acts.with(act);
            }
        }
        acts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_but_service_and_officer_uses_data_and_an_admin_sees_none() {
        for deed in [Deed::Reveal, Deed::Search, Deed::Token] {
            for role in [Role::Intake, Role::Auditor, Role::Admin] {
                assert!(!deed.allowed_to(role), "{deed:?} {role:?}");
            }
            assert!(!ActorFacts::operator().may(deed), "at the machine, {deed:?} takes a credential");
        }
    }

    #[test]
    fn a_person_touches_what_is_their_own_and_nobody_else_sees_it_as_they_do() {
        let (own, other) = (SubjectId::from_number(7), SubjectId::from_number(8));
        let person = ActorFacts::subject(own);
        assert!(person.may_touch(own) && !person.may_touch(other));
        for deed in Deed::ALL {
            let may = matches!(deed, Deed::SeeOwn | Deed::Collect | Deed::Choose);
            assert_eq!(person.may(deed), may, "{deed:?}");
        }
        assert!(Role::ALL.into_iter().all(|role| !Deed::SeeOwn.allowed_to(role)));
        assert!(!ActorFacts::operator().may(Deed::SeeOwn) && !ActorFacts::house().may(Deed::SeeOwn));
    }

    #[test]
    fn every_role_has_a_name_and_a_number_that_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.name()), Some(role));
            assert_eq!(Role::from_number(role.number()), Some(role));
        }
        assert_eq!(Role::parse("root"), None);
    }
}
