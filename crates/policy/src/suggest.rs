//! "Did you mean …?" — the nearest of the words that would have been right.

/// Nothing longer than this is worth a suggestion, and nothing longer costs the time of one.
const LONGEST: usize = 64;

/// Which candidate did they mean?
///
/// Gives: the nearest by Damerau–Levenshtein distance, if near enough (a third of the longer word, at least 1);
/// of equals the first; `None` when nothing is near.
pub fn closest<'c>(written: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if written.is_empty() || written.len() > LONGEST {
        return None;
    }
    let lower = written.to_lowercase().replace(['-', ' '], "_");
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates.into_iter().filter(|candidate| candidate.len() <= LONGEST) {
        let plain = candidate.replace('-', "_");
        let distance = strsim::damerau_levenshtein(&lower, &plain);
        let allowed = (lower.chars().count().max(plain.chars().count()) / 3).max(1);
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// As `closest`, for dotted paths: before it a candidate that goes on from what was written (`user.contact.phone` for
/// `user.contact.phone_number`), after it one whose last part is exactly what was written.
pub(crate) fn closest_path<'c>(
    written: &str,
    candidates: impl IntoIterator<Item = &'c str> + Clone,
) -> Option<&'c str> {
    let last = written.rsplit('.').next().unwrap_or(written);
    let goes_on = |path: &&str| written.contains('.') && path.starts_with(written);
    let longer = candidates.clone().into_iter().find(goes_on);
    longer
        .or_else(|| closest(written, candidates.clone()))
        .or_else(|| candidates.into_iter().find(|path| path.rsplit('.').next() == Some(last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_word() {
        assert_eq!(closest("pohne", ["email", "phone"]), Some("phone"));
        assert_eq!(
            closest("Legitimate-Interest", ["consent", "legitimate_interest"]),
            Some("legitimate_interest")
        );
    }

    #[test]
    fn a_different_word_finds_none() {
        assert_eq!(closest("telephone_exchange", ["email", "name"]), None);
        assert_eq!(closest("", ["a"]), None);
    }

    #[test]
    fn the_last_part_of_a_path_is_enough() {
        let keys = ["user.contact.phone_number", "user.name"];
        assert_eq!(closest_path("phone_number", keys), Some("user.contact.phone_number"));
        assert_eq!(closest_path("user.contact.phone", keys), Some("user.contact.phone_number"));
        assert_eq!(closest_path("user.contact.phone_numbr", keys), Some("user.contact.phone_number"));
    }
}
