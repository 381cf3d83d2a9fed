//! Any text as a public id, a credential, an instant, base32: what is read is written in one way only.

use seal::{base32, from_base32};
use strongroom::ground::clock::parse_instant;
use strongroom::ground::ids::{ChoiceId, Id};
use strongroom::ground::{CredentialId, EntryId, RecordId, SubjectId};
use strongroom::people::read_presented;

use super::made::ids;

/// One input.
pub(crate) fn look_at(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    is_written_in_one_way::<SubjectId>(text);
    is_written_in_one_way::<RecordId>(text);
    is_written_in_one_way::<EntryId>(text);
    is_written_in_one_way::<CredentialId>(text);
    is_written_in_one_way::<ChoiceId>(text);
    if let Some(presented) = read_presented(ids(), text) {
        let shown = ids().show(presented.id);
        assert!(
            text.starts_with(&shown) && text.len() == shown.len() + 53,
            "a credential is written in one way"
        );
        assert!(!format!("{presented:?}").contains(text.rsplit_once('_').map_or("_", |(_, secret)| secret)));
    }
    if let Ok(bytes) = from_base32(text) {
        assert_eq!(base32(&bytes), text);
    }
    let _ = parse_instant(text);
}

fn is_written_in_one_way<I: Id>(text: &str) {
    if let Ok(id) = ids().read::<I>(text) {
        assert_eq!(ids().show(id), text);
    }
}
