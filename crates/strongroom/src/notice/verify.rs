//! The page on which anybody checks a receipt: in their own browser, and nothing of it leaves that.
//!
//! The shop's verifier keys stand in the page, and its policy for content lets it ask nobody for anything.

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use data_encoding::BASE64;
use policy::notice::{Forms, NOTICE_STYLE};
use policy::record::{Words, escaped};
use sha2::{Digest, Sha256};

use super::pages::{Reading, both, file, page};
use crate::ground::house::House;
use crate::ground::log::{generation_of_log, log_number};
use crate::ground::problem::ProblemBody;
use crate::ground::web::{Answer, Visit};
use crate::ground::{Problem, Shop, heads};
use ledger::note::Verifier;

const SCRIPT: &str = include_str!("verify/verify.js");
const STYLE: &str = include_str!("verify/verify.css");
/// What the script says, in both languages.
const WORDS: &str = include_str!("verify/words.json");

/// The keys that verify a shop's receipts: one name for each generation of its log, the newest last.
pub(super) fn verifiers(house: &House, shop: &Shop) -> Result<Vec<Verifier>, Problem> {
    let log = |generation| log_number(shop.number, generation);
    (1..=generation_of_log(shop.log()))
        .map(|generation| heads::verifier(house, shop, log(generation)))
        .collect()
}

/// The script of the page.
#[utoipa::path(get, path = "/privacy/verify.js", tag = "notice",
    responses((status = 200, description = "The script", content_type = "text/javascript", body = String)))]
pub(crate) fn get_verify_script(_: Visit) -> Answer {
    let mut response = file(SCRIPT.to_owned(), "text/javascript; charset=utf-8");
    let same_site = HeaderValue::from_static("same-origin");
    response.headers_mut().insert("cross-origin-resource-policy", same_site);
    Box::pin(std::future::ready(Ok(response)))
}

/// Check a receipt in the browser. Nothing is sent.
#[utoipa::path(get, path = "/privacy/verify", tag = "notice",
    responses((status = 200, description = "The page", body = String, content_type = "text/html"),
              (status = 404, description = "No such shop", body = ProblemBody)))]
pub(crate) async fn get_verify(visit: Visit) -> Result<Response<Body>, Problem> {
    let reading = Reading::of(&visit)?;
    let keys: Vec<String> =
        verifiers(&reading.house, &reading.shop)?.iter().map(ToString::to_string).collect();
    let spoken = reading.spoken();
    let [title, lead, choose, paste, paste_help, key, key_help, check, no_script, by_command] =
        [TITLE, LEAD, CHOOSE, PASTE, PASTE_HELP, KEY, KEY_HELP, CHECK, NO_SCRIPT, BY_COMMAND]
            .map(|words| reading.say(words));
    let newest = keys.last().cloned().unwrap_or_default();
    let (all, newest, tag, rows) =
        (escaped(&keys.join("\n")), escaped(&newest), spoken.tag(), keys.len().saturating_add(1));
    let language = if spoken.tag().starts_with("zh") { "zh" } else { "en" };
    let html = format!(
        "<article class=\"notice\" lang=\"{tag}\">\n<header>\n<h1>{title}</h1>\n<p>{lead}</p>\n</header>\n\
         <noscript><p>{no_script}</p></noscript>\n\
         <div class=\"verify-form\" id=\"verify\" data-lang=\"{language}\" hidden>\n<div class=\"drop\">\n\
         <label for=\"verify-file\">{choose}</label>\n\
         <input type=\"file\" id=\"verify-file\" accept=\".json,application/json\">\n\
         <label for=\"verify-receipt\">{paste}</label>\n<p class=\"quiet\" id=\"verify-receipt-help\">{paste_help}</p>\n\
         <textarea id=\"verify-receipt\" rows=\"7\" autocomplete=\"off\" spellcheck=\"false\" \
         aria-describedby=\"verify-receipt-help\"></textarea>\n\
         <details>\n<summary>{key}</summary>\n<p class=\"quiet\" id=\"verify-key-help\">{key_help}</p>\n\
         <textarea id=\"verify-key\" rows=\"{rows}\" autocomplete=\"off\" spellcheck=\"false\" aria-label=\"{key}\" \
         aria-describedby=\"verify-key-help\">{all}</textarea>\n</details>\n\
         <button type=\"button\" id=\"verify-check\">{check}</button>\n</div>\n\
         <div id=\"verify-result\" role=\"status\" aria-live=\"polite\"></div>\n</div>\n\
         <section>\n<h2>{by_command_title}</h2>\n<p>{by_command}</p>\n\
         <pre id=\"verify-command\">strongroom verify receipt.json \\\n  --key '{newest}'</pre>\n</section>\n</article>\n\
         <script type=\"application/json\" id=\"verify-words\">{WORDS}</script>\n",
        by_command_title = reading.say(BY_COMMAND_TITLE),
    );
    let nav = reading.ways(("/privacy/verify", ""));
    std::future::ready(Ok(with_script(
        tag,
        &format!("{title} – {}", reading.shop_name()),
        &format!("{nav}{html}"),
    )))
    .await
}

/// A page like the others, with the script and its style.
fn with_script(tag: &str, title: &str, fragment: &str) -> Response<Body> {
    let title = escaped(title);
    let mut response = page(
        format!(
            "<!DOCTYPE html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{NOTICE_STYLE}</style>\n<style>{STYLE}</style>\n\
         <script src=\"/privacy/verify.js\" defer></script>\n</head>\n\
         <body class=\"notice-page\">\n<main>\n{fragment}</main>\n</body>\n</html>\n"
        ),
        Forms::None,
    );
    let [notice, own] = [NOTICE_STYLE, STYLE].map(|style| BASE64.encode(&Sha256::digest(style)));
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'sha256-{notice}' 'sha256-{own}'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

const TITLE: Words = both("Check a receipt", "核验回执");
const LEAD: Words = both(
    "A receipt proves what you chose, when, and under which version of the notice. Your browser checks it here; nothing of it is sent to anybody, \
     not even to us.",
    "回执可以证明您在何时、依据哪一版隐私政策作出了什么选择。核验完全在您的浏览器中进行，内容不会发送给任何人，也不会发送给我们。",
);
const CHOOSE: Words = both("Choose the file of the receipt, or drop it here", "选择回执文件，或者拖放到这里");
const PASTE: Words = both("Or paste its text", "或者粘贴回执内容");
const PASTE_HELP: Words =
    both("All of it, from the first brace to the last.", "请完整粘贴，从第一个花括号到最后一个花括号。");
const KEY: Words = both("The shop’s key", "店铺的验证公钥");
const KEY_HELP: Words = both(
    "It came with this page. If you have it from elsewhere, from a letter or a witness, put that here: then you need not trust this site.",
    "这里是本站提供的密钥。如果您从别处（例如信函或见证方）得到过密钥，请填在这里，这样就不必信任本站。",
);
const CHECK: Words = both("Check", "核验");
const NO_SCRIPT: Words = both(
    "Checking here needs JavaScript, since the receipt must not leave your device. Without it, use the command line:",
    "为了不让回执离开您的设备，在本页核验需要启用 JavaScript。未启用时，请使用命令行：",
);
const BY_COMMAND_TITLE: Words = both("Without a browser", "不用浏览器");
const BY_COMMAND: Words = both(
    "The program Strongroom checks receipts offline and is free software; the format is published, so that anybody can write another one.",
    "开源程序 Strongroom 可以离线核验回执；格式是公开的，任何人都可以自行编写核验程序。",
);

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::*;

    /// The names of all words, also of those inside of others; of reasons, their codes.
    fn names(words: &Json, at: &str) -> Vec<String> {
        match words {
            Json::Object(all) => {
                all.iter().flat_map(|(name, inner)| names(inner, &format!("{at}.{name}"))).collect()
            }
            Json::Array(all) => {
                let code = |one: &Json| one.get(0).map_or_else(|| "text".to_owned(), Json::to_string);
                all.iter().map(|one| format!("{at}[{}]", code(one))).collect()
            }
            _ => vec![at.to_owned()],
        }
    }

    #[test]
    fn every_word_of_the_script_is_there_in_both_languages_and_is_used() {
        let words: Json = serde_json::from_str(WORDS).unwrap();
        let english = names(words.get("en").unwrap(), "words");
        assert_eq!(english, names(words.get("zh").unwrap(), "words"));
        let unused = |name: &&String| {
            let first = name.split(['.', '[']).nth(1).unwrap_or_default();
            !SCRIPT.contains(&format!("words.{first}"))
        };
        assert_eq!(english.iter().filter(unused).collect::<Vec<_>>(), Vec::<&String>::new());
        let called = SCRIPT
            .split("words.")
            .skip(1)
            .map(|rest| rest.chars().take_while(char::is_ascii_alphanumeric).collect::<String>());
        for name in called.filter(|name| !name.is_empty()) {
            assert!(words.pointer(&format!("/en/{name}")).is_some(), "{name}");
        }
    }

    #[test]
    fn every_code_that_the_script_can_give_has_words() {
        let codes = SCRIPT.split("'SR-LEDGER-").skip(1).filter_map(|rest| rest.get(..3));
        let mut met = 0;
        for code in codes {
            assert!(WORDS.matches(&format!("SR-LEDGER-{code}")).count() == 2, "{code}");
            met += 1;
        }
        assert!(met > 20, "{met}");
    }
}
