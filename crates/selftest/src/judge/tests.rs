use proptest::prelude::*;

use super::*;
use crate::Pattern;

const DECLARED: &str = r#"
[[purpose]]
name = "delivery"
kind = "necessary"
cookies = ["basket"]

[[purpose]]
name = "statistics"
kind = "consent"
cookies = ["_ga*"]
storage = ["ga*"]
[[purpose.recipient]]
name = "counter"
hosts = ["counter.example"]

[[purpose]]
name = "suggestions"
kind = "interest"
cookies = ["sg_*"]

[[purpose]]
name = "repairs"
kind = "separate"
hosts = ["repairs.example"]
"#;

fn declared() -> Declared {
    Declared::read(DECLARED).unwrap()
}

fn request(stage: Stage, host: &str, path: &str) -> Request {
    Request {
        stage,
        origin: format!("https://{host}"),
        host: host.into(),
        path: path.into(),
        kind: "script".into(),
        way: Way::Plain,
        initiators: Vec::new(),
        own_site: host.ends_with("shop.example"),
    }
}

fn stored(stage: Stage, place: Place, host: &str, name: &str) -> Stored {
    Stored { stage, kept: Kept { place, host: host.into(), name: name.into(), http_only: false } }
}

fn honest_banner() -> Banner {
    Banner {
        has_to_ask: true,
        was_found: true,
        accept_clicks: Some(1),
        refuse_clicks: Some(1),
        withdraw_clicks: Some(2),
        asked_again: false,
    }
}

fn seen(requests: Vec<Request>, stored: Vec<Stored>) -> Seen {
    Seen {
        host: "www.shop.example".into(),
        requests,
        stored,
        record: vec![Pattern::new("sr")],
        banner: honest_banner(),
        ..Seen::default()
    }
}

fn faults(seen: &Seen) -> Vec<Fault> {
    judge(seen, &declared()).0.into_iter().map(|finding| finding.fault).collect()
}

#[test]
fn a_request_to_a_recipient_is_a_finding_at_every_stage_but_after_a_yes() {
    let found = |stage| faults(&seen(vec![request(stage, "hm.counter.example", "/hm.js")], vec![]));
    assert_eq!(found(Stage::Before), [Fault::RequestBefore]);
    assert_eq!(found(Stage::Refused), [Fault::RequestRefused]);
    assert_eq!(found(Stage::Accepted), []);
    assert_eq!(found(Stage::Withdrawn), [Fault::RequestWithdrawn]);
}

#[test]
fn a_yes_to_all_reaches_no_separate_consent() {
    let found = faults(&seen(vec![request(Stage::Accepted, "repairs.example", "/")], vec![]));
    assert_eq!(found, [Fault::RequestBeyond]);
}

#[test]
fn what_nobody_declared_is_a_finding_even_after_a_yes() {
    let stored = [Place::Cookie, Place::Local, Place::Worker]
        .map(|place| stored(Stage::Accepted, place, "www.shop.example", "who_knows"));
    let seen = seen(vec![request(Stage::Accepted, "other.example", "/p.gif")], stored.to_vec());
    let mut found = faults(&seen);
    found.sort();
    assert_eq!(
        found,
        [Fault::RequestUndeclared, Fault::CookieUndeclared, Fault::StorageUndeclared, Fault::Worker]
    );
}

#[test]
fn who_is_called_by_a_recipients_script_belongs_to_its_purpose() {
    let script = request(Stage::Accepted, "counter.example", "/c.js");
    let mut pixel = request(Stage::Accepted, "elsewhere.example", "/p.gif");
    pixel.initiators = vec!["https://counter.example/c.js".into()];
    assert_eq!(faults(&seen(vec![script.clone(), pixel.clone()], vec![])), []);
    pixel.initiators = vec!["https://www.shop.example/app.js".into()];
    assert_eq!(faults(&seen(vec![script, pixel], vec![])), [Fault::RequestUndeclared]);
}

#[test]
fn a_mark_counts_only_with_a_recipient_that_the_notice_has() {
    let held = |recipient: &str| Held {
        purpose: "statistics".into(),
        recipient: recipient.into(),
        host: "tag.example".into(),
        address: "https://tag.example/t.js".into(),
    };
    let mut seen = seen(vec![request(Stage::Accepted, "tag.example", "/t.js")], vec![]);
    seen.held = vec![held("counter")];
    assert_eq!(faults(&seen), []);
    seen.held = vec![held("somebody-else")];
    assert_eq!(faults(&seen), [Fault::RequestUndeclared]);
}

#[test]
fn what_was_chosen_may_be_remembered_after_a_choice_and_not_before() {
    let found = |stage| faults(&seen(vec![], vec![stored(stage, Place::Cookie, "shop.example", "sr")]));
    assert_eq!(found(Stage::Before), [Fault::CookieBefore]);
    assert_eq!(found(Stage::Refused), []);
    assert_eq!(found(Stage::Withdrawn), []);
}

#[test]
fn a_cookie_of_another_site_that_nobody_can_clear_is_a_remark_and_one_of_our_own_a_finding() {
    let both = |host: &str, name: &str| {
        let at = |stage| stored(stage, Place::Cookie, host, name);
        vec![at(Stage::Accepted), at(Stage::Withdrawn)]
    };
    let visit = vec![request(Stage::Accepted, "counter.example", "/c.js")];
    let theirs = judge(&seen(visit.clone(), both("counter.example", "uid")), &declared());
    assert_eq!((theirs.0.len(), theirs.1.len()), (0, 1));
    let ours = faults(&seen(visit.clone(), both("shop.example", "_ga")));
    assert_eq!(ours, [Fault::CookieLeft]);
    // One that comes after the withdrawal was not left: it was set.
    let late = vec![stored(Stage::Withdrawn, Place::Cookie, "counter.example", "uid")];
    assert_eq!(faults(&seen(visit, late)), [Fault::CookieLeft]);
}

#[test]
fn a_banner_is_judged_by_its_clicks() {
    let found = |banner| faults(&Seen { banner, ..seen(vec![], vec![]) });
    let honest = honest_banner();
    assert_eq!(found(honest), []);
    assert_eq!(found(Banner { was_found: false, ..honest }), [Fault::BannerMissing]);
    assert_eq!(found(Banner { was_found: false, has_to_ask: false, ..honest }), []);
    assert_eq!(found(Banner { refuse_clicks: None, ..honest }), [Fault::RefuseMissing]);
    assert_eq!(found(Banner { refuse_clicks: Some(2), ..honest }), [Fault::RefuseLonger]);
    assert_eq!(found(Banner { asked_again: true, ..honest }), [Fault::AskedAgain]);
    assert_eq!(found(Banner { accept_clicks: None, ..honest }), [Fault::AcceptMissing]);
    assert_eq!(found(Banner { withdraw_clicks: Some(3), ..honest }), [Fault::WithdrawFar]);
    assert_eq!(found(Banner { withdraw_clicks: None, ..honest }), [Fault::WithdrawFar]);
}

#[test]
fn pixels_of_style_sheets_and_beacons_have_codes_of_their_own() {
    for (way, fault) in [(Way::Style, Fault::StylePixel), (Way::Beacon, Fault::Beacon)] {
        let mut sent = request(Stage::Refused, "counter.example", "/p");
        sent.way = way;
        assert_eq!(faults(&seen(vec![sent], vec![])), [fault]);
    }
}

#[test]
fn every_fault_has_a_code_of_its_own() {
    let codes: std::collections::BTreeSet<&str> = Fault::ALL.iter().map(|fault| fault.code()).collect();
    assert_eq!(codes.len(), Fault::ALL.len());
}

fn a_stage() -> impl Strategy<Value = Stage> {
    prop::sample::select(Stage::ALL.to_vec())
}

fn a_request() -> impl Strategy<Value = Request> {
    let host = prop::sample::select(vec![
        "www.shop.example",
        "counter.example",
        "repairs.example",
        "other.example",
        "img.shop.example",
    ]);
    let way = prop::sample::select(vec![Way::Plain, Way::Style, Way::Beacon]);
    (a_stage(), host, "/[a-c]", way, any::<bool>()).prop_map(|(stage, host, path, way, by_counter)| Request {
        way,
        initiators: if by_counter { vec!["https://counter.example/a".into()] } else { Vec::new() },
        ..request(stage, host, &path)
    })
}

fn a_stored() -> impl Strategy<Value = Stored> {
    let place = prop::sample::select(vec![Place::Cookie, Place::Local, Place::Session, Place::Worker]);
    let host = prop::sample::select(vec!["www.shop.example", "shop.example", "counter.example"]);
    let name = prop::sample::select(vec!["_ga", "ga_x", "sg_1", "basket", "sr", "zzz"]);
    (a_stage(), place, host, name).prop_map(|(stage, place, host, name)| stored(stage, place, host, name))
}

proptest! {
    // What is found depends on what was seen, and on nothing else: what comes beside it hides nothing.
    #[test]
    fn more_that_is_seen_of_others_hides_no_finding(
        requests in prop::collection::vec(a_request(), 0..8),
        stored in prop::collection::vec(a_stored(), 0..8),
        more in a_stored(),
    ) {
        let before = judge(&seen(requests.clone(), stored.clone()), &declared()).0;
        let mut with_more = stored;
        // What was there before the withdrawal can make a left cookie of another site a remark; everything else stays.
        prop_assume!(more.stage != Stage::Accepted);
        with_more.push(more);
        let after = judge(&seen(requests, with_more), &declared()).0;
        for finding in before {
            let same = |other: &Finding| Finding { count: 0, ..other.clone() } == Finding { count: 0, ..finding.clone() };
            prop_assert!(after.iter().any(same), "{finding:?}");
        }
    }

    #[test]
    fn whatever_is_not_of_the_shop_or_allowed_is_found(request in a_request()) {
        let declared = declared();
        let seen = seen(vec![request.clone()], vec![]);
        let owners = Owners::of(&seen, &declared);
        let allowed = match &owners.of_requests()[0] {
            Belongs::Shop => request.own_site,
            Belongs::Purpose { purpose, .. } => declared.may_run(purpose, request.stage),
            _ => false,
        };
        prop_assert_eq!(judge(&seen, &declared).0.is_empty(), allowed);
    }

    #[test]
    fn after_a_refusal_nothing_of_another_site_is_ever_allowed(
        requests in prop::collection::vec(a_request(), 1..8),
    ) {
        let mut requests = requests;
        for request in &mut requests {
            request.stage = Stage::Refused;
        }
        let others = requests.iter().filter(|request| !request.own_site).count();
        let (findings, _) = judge(&seen(requests, vec![]), &declared());
        let counted: u32 = findings.iter().map(|finding| finding.count).sum();
        prop_assert_eq!(counted as usize, others);
    }

    #[test]
    fn the_same_thing_twice_is_one_finding_with_its_count(stored in a_stored(), times in 1_u32..5) {
        let all = vec![stored; times as usize];
        let (findings, _) = judge(&seen(vec![], all), &declared());
        prop_assert!(findings.len() <= 1);
        prop_assert!(findings.iter().all(|finding| finding.count == times));
    }
}
