//! The numbers of acts and figures. They are written into logs that outlive this program: add at the end, and never
//! change or reuse one.

use crate::numbered::numbered;

numbered! {
    /// What was done.
    Act, unknown UnknownAct;
    /// A log, or a generation of it, was opened: its first entry.
    Opened = 1, "opened";
    /// A record was written.
    Collected = 2, "collected";
    /// Sealed fields were opened for a purpose.
    Revealed = 3, "revealed";
    /// Somebody searched for subjects.
    Searched = 4, "searched";
    /// A search found a subject.
    Found = 5, "found";
    /// A subject chose: granted, refused or withdrew.
    Chose = 6, "chose";
    /// Something happened to a record that moves its retention, such as a delivery.
    Happened = 7, "happened";
    /// A token was made for a value.
    Tokenised = 8, "tokenised";
    /// A token was turned back.
    Resolved = 9, "resolved";
    /// A person was erased: keys were destroyed.
    Erased = 10, "erased";
    /// A term ended: its key was destroyed.
    Expired = 11, "expired";
    /// Fields were sealed again under another key or term.
    Resealed = 12, "resealed";
    /// Rows of destroyed keys were removed.
    Cleaned = 13, "cleaned";
    /// A backup was restored.
    Restored = 14, "restored";
    /// A new epoch began, and the old epoch key was overwritten.
    Rotated = 15, "rotated";
    /// A version of the policy was published.
    Published = 16, "published";
    /// A credential was made.
    CredentialAdded = 17, "credential_added";
    /// A credential was revoked.
    CredentialRevoked = 18, "credential_revoked";
    /// A sealed field could not be opened.
    OpeningFailed = 19, "opening_failed";
    /// A backup was made.
    BackedUp = 20, "backed_up";
    /// The clock was found in doubt; destruction stopped.
    ClockDoubted = 21, "clock_doubted";
    /// An operator settled the clock.
    ClockSettled = 22, "clock_settled";
    /// Somebody read the ledger.
    LedgerRead = 23, "ledger_read";
    /// The keyring was changed.
    KeyringChanged = 24, "keyring_changed";
    /// A legal hold was set.
    Held = 25, "held";
    /// A legal hold was lifted.
    Released = 26, "released";
    /// A file of records was imported.
    Imported = 27, "imported";
    /// A credential was frozen: it reached as many persons as it may, or somebody froze it.
    Frozen = 28, "frozen";
    /// Somebody let a frozen credential go on.
    Unfrozen = 29, "unfrozen";
    /// Somebody asked for an approval: that a credential may reach more persons.
    ApprovalAsked = 30, "approval_asked";
    /// Somebody else approved, or refused to.
    Approved = 31, "approved";
    /// All rows were about to be copied to another place, which serves once that is done.
    Moved = 32, "moved";
    /// It was said where a subject lives, or whether it is of age: whose law is asked.
    Placed = 33, "placed";
    /// A person signed in to see what is their own, or tried to.
    SignedIn = 34, "signed_in";
    /// It was asked of many at once whether a purpose may use them now.
    AskedMay = 35, "asked_may";
}

numbered! {
    /// What a count of an entry counts.
    Figure, unknown UnknownFigure;
    /// Records.
    Records = 1, "records";
    /// Subjects.
    Subjects = 2, "subjects";
    /// Fields.
    Fields = 3, "fields";
    /// Choices.
    Choices = 4, "choices";
    /// Entries of a log.
    Entries = 5, "entries";
    /// Bytes.
    Bytes = 6, "bytes";
    /// Keys.
    Keys = 7, "keys";
    /// Lines of an imported file.
    Lines = 8, "lines";
    /// Fields or lines that were refused.
    Refused = 9, "refused";
    /// Fields that were not kept, because no purpose needs them.
    Dropped = 10, "dropped";
    /// First entry, in the generation before, that is known to be lost.
    LostFrom = 11, "lost_from";
    /// Last entry, in the generation before, that is known to be lost.
    LostTo = 12, "lost_to";
    /// Number of an epoch.
    Epoch = 13, "epoch";
    /// Number of a log generation.
    Generation = 14, "generation";
    /// Bytes 0 to 7 of a policy's digest.
    PolicyDigest0 = 15, "policy_digest_0";
    /// Bytes 8 to 15 of a policy's digest.
    PolicyDigest1 = 16, "policy_digest_1";
    /// Bytes 16 to 23 of a policy's digest.
    PolicyDigest2 = 17, "policy_digest_2";
    /// Bytes 24 to 31 of a policy's digest.
    PolicyDigest3 = 18, "policy_digest_3";
    /// Entries in the generation before.
    PreviousSize = 19, "previous_size";
    /// Bytes 0 to 7 of the root of the generation before.
    PreviousRoot0 = 20, "previous_root_0";
    /// Bytes 8 to 15 of the root of the generation before.
    PreviousRoot1 = 21, "previous_root_1";
    /// Bytes 16 to 23 of the root of the generation before.
    PreviousRoot2 = 22, "previous_root_2";
    /// Bytes 24 to 31 of the root of the generation before.
    PreviousRoot3 = 23, "previous_root_3";
    /// Number of a credential that the act is about.
    Credential = 24, "credential";
    /// First index of a range of entries.
    FirstIndex = 25, "first_index";
    /// Last index of a range of entries.
    LastIndex = 26, "last_index";
    /// A term's end, in microseconds since the Unix epoch.
    TermEnd = 27, "term_end";
    /// How far a clock was ahead, in microseconds.
    ClockAhead = 28, "clock_ahead";
    /// How far a clock was behind, in microseconds.
    ClockBehind = 29, "clock_behind";
    /// Persons that a credential may reach.
    Limit = 30, "limit";
    /// Hours in which it may, or for which an approval stands.
    Hours = 31, "hours";
    /// Number of an approval that the act is about, or rests on.
    Approval = 32, "approval";
    /// Number of the suite that seals from here on.
    Suite = 33, "suite";
    /// Those of whom the answer was yes.
    Allowed = 34, "allowed";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_number_has_one_form() {
        for number in 0..=u8::MAX {
            assert_eq!(Act::from_number(number).number(), number);
            assert_eq!(Figure::from_number(number).number(), number);
        }
        let names: BTreeSet<_> = (0..=u8::MAX).map(|number| Act::from_number(number).to_string()).collect();
        assert_eq!(names.len(), 256);
    }

    #[test]
    fn the_numbers_have_no_holes() {
        let acts: Vec<u8> = Act::ALL.iter().map(|act| act.number()).collect();
        assert_eq!(acts, (1..=35).collect::<Vec<u8>>());
        let figures: Vec<u8> = Figure::ALL.iter().map(|figure| figure.number()).collect();
        assert_eq!(figures, (1..=34).collect::<Vec<u8>>());
    }

    #[test]
    fn names_are_written_as_the_document_lists_them() {
        assert_eq!(Act::CredentialRevoked.to_string(), "credential_revoked");
        assert_eq!(Act::from_number(200).to_string(), "other_200");
        assert_eq!(Figure::PolicyDigest3.to_string(), "policy_digest_3");
    }
}
