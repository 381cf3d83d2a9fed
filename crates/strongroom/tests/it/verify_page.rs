//! The page on which anybody checks a receipt, in a real browser: it says the same as the program, of true receipts and of
//! every forgery, and asks nobody anything.

use serde_json::{Value as Json, json};
use strongroom::choose::Way;

use crate::browser::{Browser, OVERFLOW, find_browser};
use crate::support::Bench;
use crate::verify::{Given, bench, forgeries, given};

const SAID: &str = "document.getElementById('verify-result').innerText";

/// Pastes a text and asks for the check; gives what the page says.
fn check(browser: &mut Browser, text: &str) -> String {
    browser.look("document.getElementById('verify-result').replaceChildren()");
    browser.look(&format!("document.getElementById('verify-receipt').value = {}", json!(text)));
    browser.look("document.getElementById('verify-check').click()");
    browser.until(&format!("{SAID} !== '' && !document.getElementById('verify-check').disabled"));
    browser.look(SAID).as_str().unwrap().to_owned()
}

fn served() -> (Bench, String, Given) {
    let mut bench = bench();
    let given = given(&bench);
    let at = bench.serve();
    (bench, format!("http://localhost:{}/privacy/verify", at.port()), given)
}

#[test]
fn a_true_receipt_holds_in_the_browser_in_both_languages_and_nobody_is_asked() {
    let Some(name) = find_browser() else { return };
    let (_bench, page, given) = served();
    let mut browser = Browser::open(name);
    for (language, holds, unproven, granted, ends) in [
        ("zh", "回执有效", "它不能证明什么", "同意", "到期时间"),
        ("en", "This receipt holds", "What it does not prove", "Granted", "Ends by itself at"),
    ] {
        for (width, scheme) in [(390, "light"), (1280, "dark"), (390, "dark"), (1280, "light")] {
            browser.go(&format!("{page}?lang={language}"), width, scheme);
            browser.until("!document.getElementById('verify').hidden");
            browser.shoot(&format!("verify-{language}-{width}-{scheme}-before"));
            let asked = browser.requests.len();
            let said = check(&mut browser, &given.receipt.to_string());
            for word in [holds, unproven, granted, ends, "strongroom/harbour-hill"] {
                assert!(said.contains(word), "{word}: {said}");
            }
            assert_eq!(browser.requests.len(), asked, "{:?}", browser.requests);
            let flow = browser.look(OVERFLOW);
            assert_eq!(flow["more"], 0, "{language} {width}: {flow}");
            browser.shoot(&format!("verify-{language}-{width}-{scheme}"));
        }
    }
    // Whatever a page of ours would want to send, the browser does not let it.
    browser.look("window.refused = 0; addEventListener('securitypolicyviolation', () => window.refused += 1); void fetch('/privacy').catch(() => 0)");
    browser.until("window.refused > 0");
}

#[test]
fn every_forgery_is_refused_in_the_browser_with_the_code_of_the_program() {
    let Some(name) = find_browser() else { return };
    let (_bench, page, given) = served();
    let mut browser = Browser::open(name);
    browser.go(&format!("{page}?lang=en"), 1280, "light");
    browser.until("!document.getElementById('verify').hidden");
    for (what, text, code) in forgeries(&given) {
        let said = check(&mut browser, &text);
        assert!(said.contains("This receipt does not hold") && said.contains(code), "{what}: {said}");
    }
    browser.shoot("verify-en-1280-light-forged");
    // Two in one file, the ledger's receipt alone, and one that is false among those that are true.
    let both = json!({ "receipts": [given.receipt, given.other] });
    assert!(check(&mut browser, &both.to_string()).contains("All 2 receipts hold"));
    assert!(check(&mut browser, &given.receipt["ledger"].to_string()).contains("This receipt holds"));
    let mut forged = given.receipt.clone();
    forged["ledger"]["salt"] = given.other["ledger"]["salt"].clone();
    let spoilt = json!({ "receipts": [given.other, forged] });
    assert!(check(&mut browser, &spoilt.to_string()).contains("does not hold"));
    // With a key from elsewhere it is that key which counts.
    let other = ledger::note::Signer::from_seed("strongroom/harbour-hill", &[7; 32]).unwrap();
    let put = |key: &str| format!("document.getElementById('verify-key').value = {}", Json::from(key));
    browser.look(&put(&other.verifier().to_string()));
    assert!(check(&mut browser, &given.receipt.to_string()).contains("SR-LEDGER-037"));
    browser.look(&put("nonsense"));
    assert!(check(&mut browser, &given.receipt.to_string()).contains("SR-LEDGER-012"));
    browser.look(&put(&given.key));
    assert!(check(&mut browser, &given.receipt.to_string()).contains("This receipt holds"));
}

#[test]
fn a_file_that_is_dropped_is_checked() {
    let Some(name) = find_browser() else { return };
    let (_bench, page, given) = served();
    let mut browser = Browser::open(name);
    browser.go(&format!("{page}?lang=en"), 390, "light");
    browser.until("!document.getElementById('verify').hidden");
    let drop = format!(
        "(() => {{ const data = new DataTransfer(); data.items.add(new File([{}], 'receipt.json', {{ type: 'application/json' }}));
          document.querySelector('.drop').dispatchEvent(new DragEvent('drop', {{ dataTransfer: data, bubbles: true, cancelable: true }})); }})()",
        json!(given.receipt.to_string())
    );
    browser.look(&drop);
    browser.until(&format!("{SAID}.includes('This receipt holds')"));
}

#[test]
fn every_way_of_a_choice_has_words_in_both_languages() {
    let html = Bench::new().get_as_stranger("/privacy/verify").text();
    let words = html.split("id=\"verify-words\">").nth(1).unwrap().split("</script>").next().unwrap();
    let words: Json = serde_json::from_str(words).unwrap();
    for way in Way::ALL {
        for language in ["zh", "en"] {
            assert!(words[language]["ways"][way.name()].is_string(), "{language} {}", way.name());
        }
    }
}

#[test]
fn without_scripts_the_page_says_how_else() {
    let bench = Bench::new();
    for (language, said) in [("zh", "需要启用 JavaScript"), ("en", "needs JavaScript")] {
        let reply = bench.get_as_stranger(&format!("/privacy/verify?lang={language}"));
        let policy = reply.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'sha256-"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("connect-src"), "{policy}");
        let html = reply.text();
        for part in ["<noscript>", said, "strongroom verify receipt.json", &bench.verifier] {
            assert!(html.contains(part), "{part}");
        }
    }
}
