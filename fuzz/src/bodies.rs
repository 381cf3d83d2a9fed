//! Any bytes as a body of the API: refused with a code and a pointer, or read; and nothing of a value is in what is told.

use strongroom::collect::draft::{ChoiceIn, Draft, EventIn, RecordIn, parse_choice};
use strongroom::ground::Problem;
use strongroom::ground::web::read_json;
use strongroom::keep::refs::{RecordRef, SubjectIn, parse_which, parse_whose};

use super::made::{NOW, PLANTED, ids, shop};

/// One input.
pub(crate) fn look_at(data: &[u8]) {
    let policy = shop().policy();
    tells_nothing(read_json::<RecordIn<'_>>(data).and_then(|input| {
        let draft = Draft::parse(&input, shop(), &policy, ids(), NOW)?;
        assert!(draft.set.is_sorted_by_key(|(field, _)| *field));
        assert!(draft.unknown.iter().all(|name| !name.contains('@')));
        assert!(!format!("{:?}", draft.set).contains(PLANTED), "a value shows itself");
        Ok(())
    }));
    tells_nothing(
        read_json::<EventIn<'_>>(data)
            .and_then(|input| Draft::parse_event(&input, shop(), &policy, ids(), NOW).map(drop)),
    );
    tells_nothing(
        read_json::<ChoiceIn<'_>>(data).and_then(|input| parse_choice(&input, &policy, NOW, "").map(drop)),
    );
    tells_nothing(
        read_json::<SubjectIn<'_>>(data)
            .and_then(|input| parse_whose(&input, None, shop(), &policy, ids()).map(drop)),
    );
    tells_nothing(
        read_json::<RecordRef<'_>>(data)
            .and_then(|input| parse_which(&input, shop(), &policy, ids(), "/record").map(drop)),
    );
}

fn tells_nothing(outcome: Result<(), Problem>) {
    let Err(problem) = outcome else { return };
    assert!(problem.code.starts_with("SR-") && (400..500).contains(&problem.status), "{problem:?}");
    // `looks_like_a_name` lets lower-case names through, as keys; what is planted has capitals or more around it.
    let told = serde_json::to_string(&problem.to_body()).expect("a problem");
    assert!(!told.contains(&PLANTED.to_uppercase()), "{told}");
}
