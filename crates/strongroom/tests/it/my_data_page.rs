//! My data in a real browser, in both languages, on a phone and a desktop: the whole way without a script, and what a judge of
//! accessibility says of each page. Leaves pictures in `target/look`.

use std::path::Path;

use ledger::entry::Act;
use serde_json::{Value as Json, json};

use crate::browser::{Browser, OVERFLOW, find_browser};
use crate::my_data::Place;

/// What axe-core finds on the page that is shown. `None` after saying so, where it is not installed.
fn judged(browser: &mut Browser) -> Option<Json> {
    let axe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../window/node_modules/axe-core/axe.min.js");
    let Ok(axe) = std::fs::read_to_string(axe) else {
        eprintln!(
            "SKIPPED: no axe-core in window/node_modules, so nobody judged how accessible the pages are (npm ci in window)"
        );
        return None;
    };
    browser.look(&format!("{axe}; void 0"));
    browser.look("void axe.run().then(found => { window.found = found.violations.map(v => v.id + ' ' + v.nodes[0].html); })");
    browser.until("window.found !== undefined");
    Some(browser.look("window.found"))
}

#[test]
fn people_go_the_whole_way_in_both_languages_on_a_phone_and_a_desktop() {
    let Some(name) = find_browser() else { return };
    let mut place = Place::new();
    let at = place.bench.serve();
    let mut letters = 0;
    for (language, width, scheme) in
        [("zh", 390, "light"), ("zh", 1280, "dark"), ("en", 390, "dark"), ("en", 1280, "light")]
    {
        let mut browser = Browser::open(name);
        browser.ask("Emulation.setScriptExecutionDisabled", json!({ "value": false }));
        let look = |browser: &mut Browser, page: &str| {
            assert_eq!(
                browser.look(OVERFLOW)["more"],
                0,
                "{page} {language} {width}: {}",
                browser.look(OVERFLOW)
            );
            assert_eq!(browser.look("document.querySelectorAll('script').length"), 0, "{page}");
            browser.shoot(&format!("my-{page}-{language}-{width}"));
            if let Some(found) = judged(browser) {
                assert_eq!(found, json!([]), "{page} {language} {width} {scheme}");
            }
        };
        let home = format!("http://localhost:{}/my?lang={language}", at.port());
        browser.go(&home, width, scheme);
        look(&mut browser, "sign-in");
        browser.follow("document.querySelector('#email').value = 'c-1@shop.example'; document.querySelector('form button').click()");
        look(&mut browser, "code");
        letters += 1;
        let code = place.mail.letter(letters).code();
        browser.follow(
            "document.querySelector('#code').value = '1234'; document.querySelector('form button').click()",
        );
        look(&mut browser, "wrong-code");
        browser.follow(&format!(
            "document.querySelector('#code').value = '{code}'; document.querySelector('form button').click()"
        ));
        look(&mut browser, "home");
        assert_eq!(browser.look("document.querySelectorAll('.cards li').length"), 4);
        assert_eq!(browser.look("document.cookie"), "", "no script sees who is signed in");

        browser.follow("document.querySelector('.cards a[href^=\"/my/data\"]').click()");
        look(&mut browser, "data");
        browser.look("document.querySelectorAll('details').forEach(one => one.open = true)");
        look(&mut browser, "correct");
        let corrected = format!("Ann Lee {language} {width}");
        browser.follow(&format!(
            "(() => {{ const form = [...document.querySelectorAll('details form')].find(f => f.elements.field.value === 'name'); \
             form.elements.value.value = '{corrected}'; form.querySelector('button').click(); }})()"
        ));
        assert_eq!(browser.look(&format!("document.body.innerText.includes('{corrected}')")), true);

        browser.go(&home.replace("/my?", "/my/choices?"), width, scheme);
        look(&mut browser, "choices");
        let chose = place.bench.count(Act::Chose);
        let recommendations = "[...document.querySelectorAll('.choice')].find(f => f.elements.purpose.value === 'recommendations')";
        let before = browser.look(&format!("{recommendations}.querySelectorAll('button').length"));
        assert!(before.as_u64().is_some_and(|buttons| buttons >= 1));
        browser.follow(&format!("{recommendations}.querySelector('button:last-child').click()"));
        assert_eq!(place.bench.count(Act::Chose), chose + 1, "off in one click");
        browser.follow(&format!("{recommendations}.querySelector('button').click()"));

        browser.go(&home.replace("/my?", "/my/uses?"), width, scheme);
        look(&mut browser, "uses");
        browser.go(&home, width, scheme);
        browser.follow("document.querySelector('.leave button').click()");
        assert_eq!(browser.look("document.querySelector('#email') !== null"), true, "signed out");
        let own = format!("http://localhost:{}/", at.port());
        assert!(browser.requests.iter().all(|address| address.starts_with(&own)), "{:?}", browser.requests);
        // One address is written to five times an hour.
        place.bench.pass(strongroom::ground::clock::HOUR);
    }
}
