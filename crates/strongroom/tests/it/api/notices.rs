//! What everybody may read: the notice in its forms and languages, its versions, pages to learn from, and where programs find them.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value as Json, json};

use crate::support::{Bench, POLICY, Reply};

fn get(bench: &Bench, path: &str) -> Reply {
    let reply = bench.get_as_stranger(path);
    assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    reply
}

/// A shop whose policy was published twice; the second says more.
fn two_versions() -> Bench {
    let bench = Bench::new();
    let next = POLICY.replacen("To bring your parcel to you", "To bring your parcel to your door", 1);
    assert_ne!(next, POLICY);
    bench.post(&bench.admin, "/v1/policies", &json!({ "text": next })).is(201);
    bench
}

#[test]
fn the_notice_is_read_by_anybody_in_the_language_that_is_nearest_and_has_no_script() {
    let bench = Bench::new();
    for (query, language, words) in [
        ("?lang=en", "en", "To bring your parcel to you"),
        ("?lang=zh-Hans", "zh", "配送"),
        ("?lang=fr", "zh", "配送"),
        ("", "zh", "配送"),
    ] {
        let reply = get(&bench, &format!("/privacy{query}"));
        let text = reply.text();
        assert!(text.contains(words) && text.contains(&format!("lang=\"{language}")), "{query}");
        let policy = reply.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'") && policy.ends_with("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe") && !text.contains("<script") && !text.contains(" style="));
        assert_eq!(reply.headers["referrer-policy"], "no-referrer");
        assert!(reply.headers.get(header::SET_COOKIE).is_none());
    }
    let request = Request::get("/privacy").header(header::ACCEPT_LANGUAGE, "en-GB,en;q=0.9,zh;q=0.8");
    let reply = bench.send(request.body(Body::empty()).unwrap());
    assert!(reply.text().contains("To bring your parcel to you"));
}

#[test]
fn an_older_version_and_what_changed_are_still_to_be_read() {
    let bench = two_versions();
    assert!(get(&bench, "/privacy?lang=en").text().contains("parcel to your door"));
    let first = get(&bench, "/privacy?lang=en&version=1").text();
    assert!(first.contains("To bring your parcel to you") && !first.contains("parcel to your door"));
    let versions = get(&bench, "/privacy/versions?lang=en").text();
    assert!(versions.contains("/privacy/versions/1-2?lang=en") && versions.contains("Version 2"));
    assert!(first.contains("/privacy?lang=zh&amp;version=1") && first.contains("/privacy/versions?lang=en"));
    assert!(get(&Bench::new(), "/privacy/versions?lang=zh").text().contains("目前只有一个版本"));
    assert!(get(&bench, "/privacy/versions?lang=zh").text().contains("与上一版的差异"));
    let changed = get(&bench, "/privacy/versions/1-2?lang=en").text();
    assert!(changed.contains("<ins") && changed.contains("<del") && changed.contains("door"), "{changed}");
    for path in ["/privacy?version=3", "/privacy?version=x", "/privacy/versions/1-9", "/privacy/versions/1"] {
        bench.get_as_stranger(path).problem(404, "SR-NOTICE-005");
    }
}

#[test]
fn programs_find_the_notice_whom_to_ask_and_that_the_signal_is_followed() {
    let bench = Bench::new();
    let twin = get(&bench, "/privacy.jsonld?lang=en");
    assert_eq!(twin.headers[header::CONTENT_TYPE], "application/ld+json");
    assert!(twin.json()["@context"].is_object() || twin.json()["@context"].is_array());
    assert!(get(&bench, "/privacy.txt?lang=en").text().contains("To bring your parcel to you"));
    let gpc = get(&bench, "/.well-known/gpc.json").json();
    assert_eq!(gpc["gpc"], true);
    assert!(gpc["lastUpdate"].as_str().unwrap().parse::<jiff::civil::Date>().is_ok());
    let privacy = get(&bench, "/.well-known/privacy.json").json();
    assert_eq!((&privacy["shop"], &privacy["version"]), (&json!("harbour-hill"), &json!(1)));
    for address in
        privacy.as_object().unwrap().values().filter_map(Json::as_str).filter(|text| text.starts_with('/'))
    {
        get(&bench, address);
    }
    let security = get(&bench, "/.well-known/security.txt").text();
    let until = security.lines().find_map(|line| line.strip_prefix("Expires: ")).unwrap();
    assert!(
        security.starts_with("Contact: mailto:") && until.parse::<jiff::Timestamp>().is_ok(),
        "{security}"
    );
}

#[test]
fn every_link_of_the_notice_leads_somewhere_in_both_languages() {
    let bench = Bench::new();
    for language in ["en", "zh"] {
        let notice = get(&bench, &format!("/privacy?lang={language}")).text();
        let links: std::collections::BTreeSet<String> = ways("/privacy", &notice).into_iter().collect();
        assert!(links.len() >= 4, "{links:?}");
        for link in links {
            get(&bench, &link);
        }
    }
}

#[test]
fn whoever_wants_to_use_their_rights_finds_whom_to_write_to() {
    let bench = Bench::new();
    let contact = bench.shop().policy().compiled.officer().contact.clone();
    for (language, words) in [("en", "See what we keep about you"), ("zh", "在这里，您可以查看")] {
        for path in ["/my", "/my/choices"] {
            let text = get(&bench, &format!("{path}?lang={language}")).text();
            assert!(text.contains(words) && text.contains(&format!("mailto:{contact}")), "{text}");
        }
    }
}

#[test]
fn there_are_pages_to_learn_from_in_both_languages_and_their_links_lead_somewhere() {
    let bench = Bench::new();
    for (language, title) in [("en", "rights"), ("zh", "权利")] {
        let all = get(&bench, &format!("/privacy/learn?lang={language}")).text();
        let links: Vec<&str> =
            all.split("href=\"/privacy/learn/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert!(links.len() >= 6 && all.contains(title), "{language}: {links:?}");
        for link in links {
            assert!(link.ends_with(&format!("?lang={language}")), "{link}");
            assert!(get(&bench, &format!("/privacy/learn/{link}")).text().contains("<h1>"));
        }
    }
    bench.get_as_stranger("/privacy/learn/nothing").problem(404, "SR-NOTICE-009");
}

#[test]
fn where_there_are_several_shops_the_address_says_whose_notice_it_is() {
    let bench = Bench::new();
    bench.add_shop("other-shop");
    bench.get_as_stranger("/privacy").problem(404, "SR-NOTICE-007");
    bench.get_as_stranger("/privacy?shop=nobody").problem(404, "SR-NOTICE-007");
    get(&bench, "/privacy?shop=other-shop");
}

/// Where the links of a page lead that do not leave the site.
fn ways(at: &str, page: &str) -> Vec<String> {
    let folder = at.split('?').next().unwrap().rsplit_once('/').unwrap().0;
    let links =
        page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&"));
    let stay = links.filter(|link| !["#", "https:", "mailto:"].iter().any(|other| link.starts_with(other)));
    stay.map(|link| {
        let link = link.split('#').next().unwrap();
        if link.starts_with('/') { link.to_owned() } else { format!("{folder}/{link}") }
    })
    .collect()
}

#[test]
fn whoever_follows_links_stays_with_the_shop_and_in_the_language() {
    let bench = Bench::new();
    bench.add_shop("other-shop");
    let mut seen = std::collections::BTreeSet::new();
    let mut ahead = vec!["/privacy?lang=en&shop=other-shop".to_owned()];
    while let Some(next) = ahead.pop() {
        assert!(next.contains("shop=other-shop"), "{next}");
        if next.contains("lang=en") && seen.insert(next.clone()) {
            let page = get(&bench, &next).text();
            assert!(next.starts_with("/privacy.txt") || page.contains("<html lang=\"en\""), "{next}");
            ahead.extend(ways(&next, &page));
        }
    }
    assert!(seen.len() >= 10, "{seen:?}");
}
