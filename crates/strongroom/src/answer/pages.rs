//! The pages, as they are written: calm, in the visitor's language, and the same in both.

use axum::body::Body;
use axum::http::Response;
use ledger::entry::{Act, ActorKind, Entry, Outcome};
use policy::notice::address_of;
use policy::record::{Language, Words, words_of_basis};
use policy::{Basis, CompiledPurpose, End, FieldMask};
use sha2::{Digest, Sha256};

use super::html::Html;
use super::http::{Visitor, is_self_declared};
use super::sign_ins::SignedIn;
use crate::choose::{ChoiceRow, Said};
use crate::ground::{Chosen, InForce, Problem, hex};
use crate::notice::pages::{MY, Reading};
use crate::reveal::{Opened, Permit, tell_value};

const fn both(en: &'static str, zh: &'static str) -> Words {
    Words { en, zh }
}

/// A page of this room. Takes: where it is; its title; a sentence under it.
fn open(visitor: &Visitor, title: &str, lead: &str) -> Html {
    let mut html = Html::new();
    html.raw("<article class=\"notice mine\" lang=\"")
        .text(visitor.reading.spoken().tag())
        .raw("\">\n<header>\n<h1>")
        .text(title)
        .raw("</h1>\n")
        .p(lead)
        .raw("</header>\n");
    html
}

fn close(visitor: &Visitor, here: &str, title: &str, html: &mut Html) -> Response<Body> {
    html.raw("</article>\n");
    let shop = visitor.reading.policy.compiled.shop();
    let name = shop.name.or_first(visitor.reading.language.as_str());
    visitor.reading.page_of_a_person(here, &format!("{title} – {name}"), html.as_str())
}

/// A link or the target of a form: it stays with the shop and in the language.
fn to(visitor: &Visitor, path: &str) -> String {
    format!("{path}{}", visitor.reading.asks(&visitor.reading.language))
}

fn begin_form(html: &mut Html, visitor: &Visitor, path: &str, class: &'static str) {
    html.raw("<form method=\"post\" class=\"")
        .raw(class)
        .raw("\" action=\"")
        .text(&to(visitor, path))
        .raw("\">\n");
}

/// An instant, by the shop's clock.
fn when(at: i64, policy: &InForce, language: Language) -> String {
    let at =
        jiff::Timestamp::from_microsecond(at).unwrap_or_default().to_zoned(policy.compiled.zone().clone());
    match language {
        Language::Zh => at.strftime("%Y年%-m月%-d日 %H:%M").to_string(),
        Language::En => at.strftime("%-d %B %Y, %H:%M").to_string(),
    }
}

/// The day of an instant, by the shop's clock.
fn day(at: i64, policy: &InForce, language: Language) -> String {
    let at =
        jiff::Timestamp::from_microsecond(at).unwrap_or_default().to_zoned(policy.compiled.zone().clone());
    match language {
        Language::Zh => at.strftime("%Y年%-m月%-d日").to_string(),
        Language::En => at.strftime("%-d %B %Y").to_string(),
    }
}

// ── Signing in ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const WELCOME: Words = both(
    "See what we keep about you, correct it, decide about it, and see who used it.",
    "在这里，您可以查看我们保存的您的个人信息、更正、管理您的选择，并了解谁使用过。",
);
const SIGN_IN: Words = both("Sign in with a code", "使用验证码登录");
const ADDRESS: Words = both("Your e-mail address", "您的电子邮箱");
const ADDRESS_HELP: Words = both(
    "The one that you gave us with your account or your order. We send a code to it; it counts for ten minutes.",
    "请填写您在本店注册或下单时使用的邮箱。我们会向它发送验证码，十分钟内有效。",
);
const SEND: Words = both("Send me a code", "发送验证码");
const FROM_THE_SHOP: Words = both(
    "If you are signed in at the shop, the link to “My data” in your account there brings you here without a code.",
    "如果您已登录店铺账户，可以直接从账户中的“我的数据”进入，无需验证码。",
);
const NO_CODES: Words = both(
    "This shop sends no codes by e-mail. Come here from your account at the shop, or write to the officer.",
    "本店不通过邮件发送验证码。请从店铺账户进入本页面，或者联系个人信息保护负责人。",
);
const WRITE_TO: Words = both("Write to a person", "联系我们的工作人员");
const ASK: Words = both(
    "You can also write, for anything that you find here and for what you do not. Say what you would like, and how we can tell that it is you: the \
     e-mail address or the telephone number that you ordered with. You need no reason, and please send no picture of a passport.",
    "无论是本页面上的还是其他的请求，您都可以直接联系我们。请写明您的要求，以及我们怎样认出您（例如下单时使用的邮箱或手机号码）。\
     不需要说明理由，请不要寄送证件照片。",
);
const SETTINGS: Words = both(
    "What you chose on the shop’s pages in this browser you can change there at any time under “Privacy settings”, without signing in.",
    "您在店铺页面上（本浏览器中）所作的选择，可以随时在“隐私设置”中更改，无需登录。",
);

/// How to sign in, and whom to write to.
pub(super) fn sign_in(visitor: &Visitor) -> Response<Body> {
    let say = |words: Words| visitor.reading.say(words);
    let mut html = open(visitor, say(MY), say(WELCOME));
    html.section(say(SIGN_IN));
    if visitor.can_send_codes() {
        begin_form(&mut html, visitor, "/my/code", "ask");
        html.raw("<p><label for=\"email\">").text(say(ADDRESS)).raw("</label>\n");
        html.raw("<input id=\"email\" name=\"email\" type=\"email\" required maxlength=\"254\" autocomplete=\"email\" aria-describedby=\"email-help\"></p>\n");
        html.raw("<p id=\"email-help\" class=\"hint\">").text(say(ADDRESS_HELP)).raw("</p>\n");
        html.raw("<p><button type=\"submit\">").text(say(SEND)).raw("</button></p>\n</form>\n");
        html.p(say(FROM_THE_SHOP));
    } else {
        html.p(say(NO_CODES));
    }
    html.raw("</section>\n");
    officer(visitor, &mut html);
    close(visitor, "/my", say(MY), &mut html)
}

/// Whom to write to: on every page in the same place. WCAG 2.2, 3.2.6.
fn officer(visitor: &Visitor, html: &mut Html) {
    let say = |words: Words| visitor.reading.say(words);
    let officer = &visitor.reading.policy.compiled.shop().officer;
    html.section(say(WRITE_TO)).raw("<p>").text(&officer.name).raw("<br>");
    match address_of(&officer.contact) {
        Some(address) => {
            html.raw("<a href=\"").text(&address).raw("\">").text(&officer.contact).raw("</a>");
        }
        None => {
            html.text(&officer.contact);
        }
    }
    html.raw("</p>\n").p(say(ASK)).p(say(SETTINGS)).raw("</section>\n");
}

const CODE_TITLE: Words = both("Enter your code", "请输入验证码");
const CODE_SENT: Words = both(
    "If somebody is known to us by this address, a code is on its way to it. It can take a minute, and may lie among the spam. \
     Nothing came? Then this may not be the address that we know.",
    "如果我们保存有这个邮箱，验证码已经发出，可能需要一分钟，也请查看垃圾邮件。没有收到？可能这不是您在本店使用的邮箱。",
);
const CODE: Words = both("The code, eight digits", "八位数字验证码");
const WRONG_CODE: Words = both(
    "This code does not count: it is not the one that was sent, or it is too old, or it was used. Look again, or ask for a new one.",
    "验证码无效：输入有误、已过期或已使用。请核对，或者重新获取。",
);
const GO_ON: Words = both("Go on", "继续");
const ANOTHER: Words = both("Ask for another code", "重新获取验证码");

/// Where a code is given back. Takes: its id, and whether one was wrong just now.
pub(super) fn give_back(visitor: &Visitor, id: &str, was_wrong: bool) -> Response<Body> {
    let say = |words: Words| visitor.reading.say(words);
    let mut html = open(visitor, say(CODE_TITLE), say(CODE_SENT));
    html.raw("<section>\n");
    if was_wrong {
        html.raw("<p class=\"wrong\" role=\"alert\" id=\"wrong\">").text(say(WRONG_CODE)).raw("</p>\n");
    }
    begin_form(&mut html, visitor, "/my/confirm", "ask");
    html.hidden("id", id);
    html.raw("<p><label for=\"code\">").text(say(CODE)).raw("</label>\n");
    html.raw("<input id=\"code\" name=\"code\" required maxlength=\"20\" inputmode=\"numeric\" autocomplete=\"one-time-code\"");
    html.raw(if was_wrong { " aria-invalid=\"true\" aria-describedby=\"wrong\"></p>\n" } else { "></p>\n" });
    html.raw("<p><button type=\"submit\">").text(say(GO_ON)).raw("</button></p>\n</form>\n");
    html.raw("<p><a href=\"")
        .text(&to(visitor, "/my"))
        .raw("\">")
        .text(say(ANOTHER))
        .raw("</a></p>\n</section>\n");
    officer(visitor, &mut html);
    close(visitor, "/my", say(CODE_TITLE), &mut html)
}

// ── Signed in ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const SIGNED_IN: Words =
    both("You are signed in. After an hour you are signed out by itself.", "您已登录，一小时后自动退出。");
const LEAVE: Words = both("Sign out", "退出登录");
const BACK: Words = both("Back to My data", "返回我的数据");

const DATA: Words = both("What we keep about you", "我们保存的您的信息");
const DATA_LEAD: Words = both(
    "Everything that we keep under your name: why, on what ground, until when, and who gets it. That you looked is in our record, too.",
    "我们保存的与您有关的全部信息：为什么保存、依据是什么、保存到何时、提供给谁。您的本次查看也会被记录。",
);
const DATA_CARD: Words = both(
    "Each datum, why we have it, and until when. Correct what is wrong; take a copy.",
    "逐项列出您的信息、用途和保存期限；可以更正，也可以下载副本。",
);
const CHOICES: Words = both("What you decide", "我的选择");
const CHOICES_LEAD: Words = both(
    "What happens only if you say yes, and what you can end. A no takes one click, holds at once, and costs you nothing.",
    "以下各项只有您同意才会进行，或者您可以随时终止。拒绝只需一次点击，立即生效，不影响您购物。",
);
const CHOICES_CARD: Words = both(
    "Your consents and objections, recommendations, statistics. With receipts that anybody can check.",
    "管理您的同意与拒绝、个性化推荐和统计，并可下载任何人都能核验的回执。",
);
const USES: Words = both("Who used your data", "谁使用过您的信息");
const USES_LEAD: Words = both(
    "Every use of the last 400 days, the newest first, as it stands in a record that nobody can change afterwards, us included.",
    "最近400天内的每一次使用，按时间倒序排列。这些记录任何人（包括我们自己）都无法事后更改。",
);
const USES_CARD: Words = both(
    "Each look, for which purpose, and everybody outside the shop who got something.",
    "每一次查看及其目的，以及店铺以外的接收方。",
);
const REQUESTS: Words = both("Copies, deletion, other requests", "复制、删除等其他请求");
const REQUESTS_CARD: Words = both(
    "Write to the officer: the address stands below. The law gives us a time to answer.",
    "请联系个人信息保护负责人，联系方式见下方。我们会在法定期限内答复。",
);

/// Where it begins for somebody who is signed in.
pub(super) fn home(visitor: &Visitor, signed_in: &SignedIn) -> Result<Response<Body>, Problem> {
    let say = |words: Words| visitor.reading.say(words);
    let mut html = open(visitor, say(MY), say(SIGNED_IN));
    html.raw("<ul class=\"cards\">\n");
    for (path, title, what) in
        [("/my/data", DATA, DATA_CARD), ("/my/choices", CHOICES, CHOICES_CARD), ("/my/uses", USES, USES_CARD)]
    {
        html.raw("<li><h2><a href=\"")
            .text(&to(visitor, path))
            .raw("\">")
            .text(say(title))
            .raw("</a></h2>\n");
        html.p(say(what)).raw("</li>\n");
    }
    html.raw("<li><h2>").text(say(REQUESTS)).raw("</h2>\n").p(say(REQUESTS_CARD)).raw("</li>\n</ul>\n");
    begin_form(&mut html, visitor, "/my/leave", "leave");
    html.hidden("mark", &signed_in.form_mark(&visitor.reading.shop)?);
    html.raw("<p><button type=\"submit\" class=\"quiet\">").text(say(LEAVE)).raw("</button></p>\n</form>\n");
    officer(visitor, &mut html);
    Ok(close(visitor, "/my", say(MY), &mut html))
}

fn way_back(visitor: &Visitor, html: &mut Html) {
    html.raw("<p><a href=\"")
        .text(&to(visitor, "/my"))
        .raw("\">")
        .text(visitor.reading.say(BACK))
        .raw("</a></p>\n");
}

// ── What is kept ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const NO_DATA: Words =
    both("We keep nothing about you that could be shown here.", "我们没有保存可以在此显示的您的信息。");
const WHAT: Words = both("What", "信息");
const VALUE: Words = both("As we have it", "我们保存的内容");
const CORRECT: Words = both("Correct", "更正");
const SAVE: Words = both("Save", "保存");
const MASKED: Words = both("masked", "已遮盖");
const CAREFUL: Words = both("sensitive", "敏感");
const GONE: Words = both("erased", "已删除");
const YES_NO: (Words, Words) = (both("yes", "是"), both("no", "否"));
const WHY: Words = both("Why we keep it", "保存目的");
const UNTIL: Words = both("until", "有效期至");
const KEPT_UNTIL: Words = both("until", "保存至");
const UNTIL_OPEN: Words =
    both("until you end it, or what it waits for has happened", "至您终止或相应事项完成后");
const GIVEN_TO: Words = both("given to", "提供给");
const NOBODY: Words = both("to nobody outside", "不对外提供");
const MORE: Words = both(
    "There are more records than stand here. The officer sends you all of them.",
    "记录较多，此处未全部列出；您可以联系个人信息保护负责人获取全部内容。",
);
const MASKED_WHY: Words = both(
    "Sensitive data is masked, and nothing can be corrected, until you have shown just now that it is you: ask for a code. It opens this page for ten minutes.",
    "为保护您的信息，敏感内容已遮盖，且暂不能更正。请先获取验证码确认是您本人，确认后十分钟内可以查看和更正。",
);
const COPY: Words = both("Take a copy (JSON)", "下载副本（JSON）");
const SHOP_CORRECTS: Words = both(
    "What cannot be corrected here (amounts, payments, what we worked out) somebody has to look at: write to the officer.",
    "此处不能直接更正的内容（金额、支付信息、由我们生成的信息等）需要人工核实，请联系个人信息保护负责人。",
);

/// The page of somebody about whom nothing is kept.
pub(super) fn no_data(visitor: &Visitor) -> Response<Body> {
    let say = |words: Words| visitor.reading.say(words);
    let mut html = open(visitor, say(DATA), say(NO_DATA));
    way_back(visitor, &mut html);
    officer(visitor, &mut html);
    close(visitor, "/my/data", say(DATA), &mut html)
}

/// All that is kept.
///
/// Fails: `SR-SEAL-005` when the permit's time is over before the page is written.
pub(super) fn data(
    visitor: &Visitor,
    signed_in: &SignedIn,
    permit: &Permit,
    opened: &[Opened<'_>],
    chosen: &Chosen,
) -> Result<Response<Body>, Problem> {
    let say = |words: Words| visitor.reading.say(words);
    let confirmed = signed_in.is_confirmed(visitor.now);
    let mut html = open(visitor, say(DATA), say(DATA_LEAD));
    way_back(visitor, &mut html);
    if !confirmed {
        html.raw("<div class=\"notes\">\n").p(say(MASKED_WHY));
        if visitor.can_send_codes() {
            begin_form(&mut html, visitor, "/my/code", "ask");
            html.raw("<p><label for=\"email\">").text(say(ADDRESS)).raw("</label>\n");
            html.raw("<input id=\"email\" name=\"email\" type=\"email\" required maxlength=\"254\" autocomplete=\"email\"></p>\n");
            html.raw("<p><button type=\"submit\">").text(say(SEND)).raw("</button></p>\n</form>\n");
        }
        html.raw("</div>\n");
    }
    for (number, record) in opened.iter().enumerate() {
        one_record(visitor, signed_in, permit, (number, record), chosen, &mut html)?;
    }
    if permit.granted().more {
        html.p(say(MORE));
    }
    html.raw("<p><a href=\"")
        .text(&to(visitor, "/my/data.json"))
        .raw("\" download>")
        .text(say(COPY))
        .raw("</a></p>\n");
    html.p(say(SHOP_CORRECTS));
    officer(visitor, &mut html);
    Ok(close(visitor, "/my/data", say(DATA), &mut html))
}

fn one_record(
    visitor: &Visitor,
    signed_in: &SignedIn,
    permit: &Permit,
    (number, record): (usize, &Opened<'_>),
    chosen: &Chosen,
    html: &mut Html,
) -> Result<(), Problem> {
    let (reading, granted) = (&visitor.reading, permit.granted());
    let say = |words: Words| reading.say(words);
    let language = reading.language.as_str();
    let row = &record.item.row;
    let Some(kind) = granted.policy.compiled.kind(row.id.kind()) else { return Ok(()) };
    html.section(kind.label().or_first(language));
    html.raw("<table class=\"few\">\n<thead><tr><th scope=\"col\">").text(say(WHAT));
    html.raw("</th><th scope=\"col\">").text(say(VALUE)).raw("</th></tr></thead>\n<tbody>\n");
    for (ordinal, value) in &record.fields {
        let Some(field) = kind.field(*ordinal) else { continue };
        let masked = record.masked.has(*ordinal);
        html.raw("<tr><th scope=\"row\">").text(field.label.or_first(language));
        if field.sensitive {
            html.raw(" <span class=\"mark sensitive\">").text(say(CAREFUL)).raw("</span>");
        }
        html.raw("</th><td data-label=\"").text(say(VALUE)).raw("\">");
        let mut text = zeroize::Zeroizing::new(String::new());
        tell_value(permit, value, (say(YES_NO.0), say(YES_NO.1)), &mut |told| text.push_str(told))?;
        html.text(&text);
        if masked {
            html.raw(" <span class=\"mark\">").text(say(MASKED)).raw("</span>");
        }
        if signed_in.is_confirmed(visitor.now) && !masked && is_self_declared(field) {
            let id = format!("correct-{number}-{ordinal}");
            html.raw("\n<details><summary>").text(say(CORRECT)).raw("<span class=\"heard\"> ");
            html.text(field.label.or_first(language)).raw("</span></summary>\n");
            begin_form(html, visitor, "/my/data", "ask");
            html.hidden("mark", &signed_in.form_mark(&reading.shop)?);
            html.hidden("record", &reading.house.ids.show(row.id)).hidden("field", field.name.as_str());
            html.raw("<p><label for=\"")
                .text(&id)
                .raw("\">")
                .text(field.label.or_first(language))
                .raw("</label>\n");
            html.raw("<input id=\"")
                .text(&id)
                .raw("\" name=\"value\" required maxlength=\"4000\" value=\"")
                .text(&text)
                .raw("\"></p>\n");
            html.raw("<p><button type=\"submit\">").text(say(SAVE)).raw("</button></p>\n</form>\n</details>");
        }
        html.raw("</td></tr>\n");
    }
    for ordinal in &record.item.gone {
        let Some(field) = kind.field(ordinal) else { continue };
        html.raw("<tr><th scope=\"row\">").text(field.label.or_first(language)).raw("</th><td data-label=\"");
        html.text(say(VALUE)).raw("\"><span class=\"mark\">").text(say(GONE)).raw("</span></td></tr>\n");
    }
    html.raw("</tbody>\n</table>\n");
    why(visitor, permit, record, chosen, html);
    html.raw("</section>\n");
    Ok(())
}

/// The purposes for which a record is kept, with the fields of each.
fn why(visitor: &Visitor, permit: &Permit, record: &Opened<'_>, chosen: &Chosen, html: &mut Html) {
    let (reading, policy) = (&visitor.reading, &permit.granted().policy);
    let say = |words: Words| reading.say(words);
    let (language, compiled) = (reading.language.as_str(), &policy.compiled);
    let row = &record.item.row;
    let number = row.id.kind();
    let Some(kind) = compiled.kind(number) else { return };
    let happenings = row.clear.happenings(number);
    let life = happenings.life(chosen, policy::Standing::Present);
    html.raw("<h3>").text(say(WHY)).raw("</h3>\n<dl class=\"facts\">\n");
    for purpose in compiled.purposes() {
        let fields = kind.grant(purpose.ordinal).allowed.and(record.item.there);
        let end = compiled.end_of(number, purpose.ordinal, &life);
        let is_over = end.is_some_and(|end| end.is_over(visitor.now));
        let (Some(end), false, false) = (end, fields.is_empty(), is_over) else { continue };
        html.raw("<div><dt>").text(purpose.said.says.or_first(language)).raw("</dt>\n<dd>");
        html.text(&labels(kind, fields, language, reading.spoken())).raw("</dd>\n<dd>");
        html.text(words_of_basis(purpose.said.basis).of(reading.spoken())).raw(" · ");
        match end {
            End::At(at) => html.text(say(KEPT_UNTIL)).raw(" ").text(&day(at, policy, reading.spoken())),
            End::Open => html.text(say(UNTIL_OPEN)),
        };
        html.raw(" · ");
        let names: Vec<&str> = compiled
            .recipients()
            .filter(|recipient| purpose.recipients.has(recipient.ordinal))
            .map(|recipient| recipient.said.title.or_first(language))
            .collect();
        if names.is_empty() {
            html.text(say(NOBODY));
        } else {
            html.text(say(GIVEN_TO)).raw(" ").text(&names.join(comma(reading.spoken())));
        }
        html.raw("</dd></div>\n");
    }
    html.raw("</dl>\n");
}

fn comma(language: Language) -> &'static str {
    match language {
        Language::En => ", ",
        Language::Zh => "、",
    }
}

fn labels(kind: &policy::CompiledKind, fields: FieldMask, language: &str, spoken: Language) -> String {
    let names: Vec<&str> = fields
        .iter()
        .filter_map(|field| kind.field(field))
        .map(|field| field.label.or_first(language))
        .collect();
    names.join(comma(spoken))
}

// ── Choices ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

const ON: Words = both("You said yes", "您已同意");
const OFF: Words = both("You said no", "您已拒绝");
const NOT_ASKED: Words = both("You have said nothing; it does not happen", "您尚未选择，目前不会进行");
const BY_ITSELF: Words = both("It happens until you object", "默认进行，您可以随时反对");
const SINCE: Words = both("on", "于");
const ALLOW: Words = both("Yes, allow it", "同意");
const REFUSE: Words = both("No", "不同意");
const WITHDRAW: Words = both("End it", "撤回同意");
const OBJECT: Words = both("Object", "反对");
const AUTOMATED: Words = both("Personal recommendations", "个性化推荐");
const AUTOMATED_LEAD: Words = both(
    "Switched off, you see what everybody sees, and what was worked out about you is erased. Switched on again, it begins from nothing.",
    "关闭后，您看到的内容与所有人相同，已有的推荐标签会被删除；重新开启时从零开始。",
);
const OTHERS: Words = both("Everything else", "其他选择");
const NO_CHOICES: Words = both(
    "Nothing that this shop does waits for your yes or can be ended by your no.",
    "本店没有需要您同意或者可以由您终止的处理。",
);
const RECEIPTS: Words = both("Receipts for your choices (JSON)", "下载选择回执（JSON）");
const CHECK_THEM: Words = both("Check a receipt", "核验回执");
const ALONE: Words = both("asked alone", "单独同意");

/// What was shown of a purpose where somebody chose here, as its choice keeps it: SHA-256, hex.
pub(super) fn digest_of(reading: &Reading, purpose: &CompiledPurpose) -> String {
    let mut html = Html::new();
    about(reading, purpose, &mut html);
    hex(&<[u8; 32]>::from(Sha256::digest(html.as_str().as_bytes())))
}

/// What a purpose is, who gets something for it, and on what ground.
fn about(reading: &Reading, purpose: &CompiledPurpose, html: &mut Html) {
    let (language, compiled) = (reading.language.as_str(), &reading.policy.compiled);
    let title = purpose.said.label.as_ref().unwrap_or(&purpose.said.says);
    html.raw("<h3>").text(title.or_first(language));
    if purpose.said.basis == Basis::SeparateConsent {
        html.raw(" <span class=\"mark\">").text(reading.say(ALONE)).raw("</span>");
    }
    html.raw("</h3>\n");
    if purpose.said.label.is_some() {
        html.p(purpose.said.says.or_first(language));
    }
    html.raw("<p class=\"hint\">");
    let mut parts: Vec<String> = Vec::new();
    for kind in compiled.kinds() {
        let fields = kind.grant(purpose.ordinal).allowed;
        if !fields.is_empty() {
            parts.push(labels(kind, fields, language, reading.spoken()));
        }
    }
    html.text(&parts.join(comma(reading.spoken()))).raw(" · ");
    let names: Vec<&str> = compiled
        .recipients()
        .filter(|recipient| purpose.recipients.has(recipient.ordinal))
        .map(|recipient| recipient.said.title.or_first(language))
        .collect();
    if names.is_empty() {
        html.text(reading.say(NOBODY));
    } else {
        html.text(reading.say(GIVEN_TO)).raw(" ").text(&names.join(comma(reading.spoken())));
    }
    html.raw("</p>\n");
}

/// What was chosen, and what can be.
pub(super) fn choices(
    visitor: &Visitor,
    signed_in: &SignedIn,
    chosen: &Chosen,
    rows: &[ChoiceRow],
) -> Result<Response<Body>, Problem> {
    let reading = &visitor.reading;
    let say = |words: Words| reading.say(words);
    let mut html = open(visitor, say(CHOICES), say(CHOICES_LEAD));
    way_back(visitor, &mut html);
    let leaves_one = |purpose: &&CompiledPurpose| {
        matches!(purpose.said.basis, Basis::Consent | Basis::SeparateConsent | Basis::LegitimateInterest)
    };
    let all: Vec<&CompiledPurpose> = reading.policy.compiled.purposes().filter(leaves_one).collect();
    if all.is_empty() {
        html.p(say(NO_CHOICES));
    }
    let (automated, others): (Vec<&CompiledPurpose>, Vec<&CompiledPurpose>) =
        all.into_iter().partition(|purpose| purpose.said.is_automated());
    for (title, lead, purposes) in [(AUTOMATED, Some(AUTOMATED_LEAD), automated), (OTHERS, None, others)] {
        if purposes.is_empty() {
            continue;
        }
        html.section(say(title));
        if let Some(lead) = lead {
            html.p(say(lead));
        }
        html.raw("<ul class=\"switches\">\n");
        for purpose in purposes {
            let last =
                rows.iter().filter(|row| row.purpose == purpose.ordinal).max_by_key(|row| (row.at, row.id));
            one_choice(visitor, signed_in, purpose, chosen, last, &mut html)?;
        }
        html.raw("</ul>\n</section>\n");
    }
    if !rows.is_empty() {
        html.raw("<p><a href=\"")
            .text(&to(visitor, "/my/receipts"))
            .raw("\" download>")
            .text(say(RECEIPTS))
            .raw("</a> · <a href=\"")
            .text(&to(visitor, "/privacy/verify"))
            .raw("\">")
            .text(say(CHECK_THEM))
            .raw("</a></p>\n");
    }
    officer(visitor, &mut html);
    Ok(close(visitor, "/my/choices", say(CHOICES), &mut html))
}

fn one_choice(
    visitor: &Visitor,
    signed_in: &SignedIn,
    purpose: &CompiledPurpose,
    chosen: &Chosen,
    last: Option<&ChoiceRow>,
    html: &mut Html,
) -> Result<(), Problem> {
    let reading = &visitor.reading;
    let say = |words: Words| reading.say(words);
    let is_interest = purpose.said.basis == Basis::LegitimateInterest;
    let (yes, no) = (chosen.granted.has(purpose.ordinal), chosen.refused.has(purpose.ordinal));
    html.raw("<li>\n");
    about(reading, purpose, html);
    let stands = match (yes, no, is_interest) {
        (true, _, _) => ON,
        (_, true, _) => OFF,
        (_, _, true) => BY_ITSELF,
        _ => NOT_ASKED,
    };
    html.raw("<p><strong>").text(say(stands)).raw("</strong>");
    if let Some(last) = last.filter(|_| yes || no) {
        html.raw(" <span class=\"hint\">").text(say(SINCE)).raw(" ");
        html.text(&when(last.at, &reading.policy, reading.spoken()));
        if yes && last.ends_at != 0 {
            html.raw(", ").text(say(UNTIL)).raw(" ").text(&day(
                last.ends_at,
                &reading.policy,
                reading.spoken(),
            ));
        }
        html.raw("</span>");
    }
    html.raw("</p>\n");
    let mut buttons: Vec<(Said, Words)> = Vec::new();
    if !yes && (no || !is_interest) {
        buttons.push((Said::Granted, ALLOW));
    }
    if !no {
        let (said, words) = match (yes, is_interest) {
            (true, _) => (Said::Withdrawn, WITHDRAW),
            (_, true) => (Said::Refused, OBJECT),
            _ => (Said::Refused, REFUSE),
        };
        buttons.push((said, words));
    }
    begin_form(html, visitor, "/my/choices", "choice");
    html.hidden("mark", &signed_in.form_mark(&reading.shop)?).hidden("purpose", purpose.said.name.as_str());
    for (said, words) in buttons {
        html.raw("<button type=\"submit\" name=\"said\" value=\"")
            .raw(said.name())
            .raw("\">")
            .text(say(words));
        let title = purpose.said.label.as_ref().unwrap_or(&purpose.said.says);
        html.raw("<span class=\"heard\"> – ")
            .text(title.or_first(reading.language.as_str()))
            .raw("</span></button>\n");
    }
    html.raw("</form>\n</li>\n");
    Ok(())
}

// ── Uses ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

const NO_USES: Words = both("Nothing stands there yet.", "目前没有记录。");
const AT: Words = both("When", "时间");
const DONE: Words = both("What was done", "操作");
const BY: Words = both("By", "由谁");
const FOR: Words = both("For what", "目的");
const WHICH: Words = both("Which data", "涉及的信息");
const USES_CAPTION: Words = both("Times are those of the shop.", "时间以店铺所在时区为准。");
const ONLY_NEWEST: Words = both("Only the newest 200 stand here.", "仅显示最近200条。");
const REFUSED: Words = both("refused", "被拒绝");

const fn act(act: Act) -> Words {
    match act {
        Act::Collected => both("Written down", "收集或更新"),
        Act::Revealed => both("Looked at", "查看"),
        Act::Searched | Act::Found => both("Looked up", "查找"),
        Act::Chose => both("You chose", "您作出了选择"),
        Act::Happened => both("Something happened to it", "状态变更"),
        Act::Tokenised => both("A token was given out in its place", "以令牌代替提供"),
        Act::Resolved => both("A token was turned back", "令牌还原"),
        Act::Erased => both("Erased", "删除"),
        Act::Expired => both("Its time was over", "到期删除"),
        Act::Placed => both("Where you live or your age was said", "记录所在地区或年龄段"),
        Act::SignedIn => both("Signed in here", "登录本页面"),
        Act::OpeningFailed => both("Could not be opened", "未能打开"),
        Act::Resealed => both("Encrypted anew", "重新加密"),
        _ => both("Something else", "其他"),
    }
}

const fn actor(kind: ActorKind) -> Words {
    match kind {
        ActorKind::Subject => both("you", "您本人"),
        ActorKind::Credential(_) => both("the shop", "本店"),
        ActorKind::Operator => both("the shop, at the machine", "本店（服务器操作）"),
        ActorKind::House => both("our systems by themselves", "系统自动"),
    }
}

/// Who used what, and for what.
pub(super) fn uses(visitor: &Visitor, entries: &[Entry]) -> Response<Body> {
    let reading = &visitor.reading;
    let say = |words: Words| reading.say(words);
    let mut html = open(visitor, say(USES), say(USES_LEAD));
    way_back(visitor, &mut html);
    if entries.is_empty() {
        html.p(say(NO_USES));
    } else {
        html.raw("<table class=\"many\">\n<caption>").text(say(USES_CAPTION)).raw("</caption>\n<thead><tr>");
        for head in [AT, DONE, BY, FOR, WHICH] {
            html.raw("<th scope=\"col\">").text(say(head)).raw("</th>");
        }
        html.raw("</tr></thead>\n<tbody>\n");
        for entry in entries {
            one_use(reading, entry, &mut html);
        }
        html.raw("</tbody>\n</table>\n");
    }
    if entries.len() >= super::entries::SHOWN {
        html.p(say(ONLY_NEWEST));
    }
    officer(visitor, &mut html);
    close(visitor, "/my/uses", say(USES), &mut html)
}

fn one_use(reading: &Reading, entry: &Entry, html: &mut Html) {
    let say = |words: Words| reading.say(words);
    let (language, compiled) = (reading.language.as_str(), &reading.policy.compiled);
    html.raw("<tr><th scope=\"row\">").text(&when(entry.at, &reading.policy, reading.spoken())).raw("</th>");
    html.raw("<td data-label=\"").text(say(DONE)).raw("\">").text(say(act(entry.act)));
    if entry.outcome != Outcome::Yes {
        html.raw(" <span class=\"mark\">").text(say(REFUSED)).raw("</span>");
    }
    html.raw("</td><td data-label=\"")
        .text(say(BY))
        .raw("\">")
        .text(say(actor(entry.actor.kind)))
        .raw("</td>");
    cell(html, say(FOR), &purpose_and_recipient(reading, entry));
    let fields: Vec<String> = entry
        .parts
        .iter()
        .filter_map(|part| Some((compiled.kind(part.kind)?, FieldMask::from_words(part.fields))))
        .map(|(kind, fields)| labels(kind, fields, language, reading.spoken()))
        .filter(|labels| !labels.is_empty())
        .collect();
    cell(html, say(WHICH), &fields.join(comma(reading.spoken())));
    html.raw("</tr>\n");
}

/// A cell; one that says nothing is not shown on narrow pages.
fn cell(html: &mut Html, label: &str, text: &str) {
    html.raw(if text.is_empty() { "<td class=\"unsaid\" data-label=\"" } else { "<td data-label=\"" });
    html.text(label).raw("\">").text(text).raw("</td>");
}

fn purpose_and_recipient(reading: &Reading, entry: &Entry) -> String {
    let (language, compiled) = (reading.language.as_str(), &reading.policy.compiled);
    let purpose = entry.purpose.and_then(|ordinal| compiled.purpose(ordinal));
    let purpose = purpose.map(|purpose| {
        purpose.said.label.as_ref().unwrap_or(&purpose.said.says).or_first(language).to_owned()
    });
    let recipient = entry.recipient.and_then(|ordinal| compiled.recipient(ordinal));
    let recipient = recipient
        .map(|recipient| format!("{} {}", reading.say(GIVEN_TO), recipient.said.title.or_first(language)));
    purpose.into_iter().chain(recipient).collect::<Vec<_>>().join(" · ")
}

// ── When something is not right ──────────────────────────────────────────────────────────────────────────────────────────

const SORRY: Words = both("That did not work", "未能完成");
const NOTHING_CHANGED: Words = both("Nothing was changed.", "未作任何更改。");

/// What is not right, and what to do. Each in the visitor's language.
pub(super) fn of_a_problem(visitor: &Visitor, problem: &Problem) -> Response<Body> {
    let say = |words: Words| visitor.reading.say(words);
    let mut html = open(visitor, say(SORRY), say(NOTHING_CHANGED));
    html.raw("<p class=\"wrong\" role=\"alert\">").text(say(told(problem))).raw("</p>\n");
    if !problem.reasons.is_empty() {
        html.raw("<ul>\n");
        for reason in &problem.reasons {
            let text = match visitor.reading.spoken() {
                Language::En => reason.text,
                Language::Zh => reason.text_zh,
            };
            html.raw("<li>").text(text).raw("</li>\n");
        }
        html.raw("</ul>\n");
    }
    html.raw("<p class=\"hint\">").text(problem.code).raw("</p>\n");
    way_back(visitor, &mut html);
    officer(visitor, &mut html);
    close(visitor, "/my", say(SORRY), &mut html)
}

fn told(problem: &Problem) -> Words {
    match problem.code.rsplit_once('-').unwrap_or_default() {
        ("SR-ANSWER", "002") => both(
            "A page of another site sent this. If it was you, open the page here and send it again.",
            "该请求来自其他网站的页面。如果是您本人操作，请在本站打开页面后重新提交。",
        ),
        ("SR-ANSWER", "003") => both(
            "Too many codes are asked for at the moment. Please try again in a minute.",
            "当前获取验证码的人数过多，请一分钟后再试。",
        ),
        ("SR-ANSWER", "005") => both(
            "You are not signed in, or not any more. Please sign in again.",
            "您尚未登录或登录已失效，请重新登录。",
        ),
        ("SR-ANSWER", "006") => {
            both("This is no e-mail address. Please look at it once more.", "邮箱地址格式不正确，请核对。")
        }
        ("SR-ANSWER", "007") => NO_CODES,
        ("SR-ANSWER", "008") => both(
            "The link from the shop does not count any more. Go back to your account at the shop, and come again from there.",
            "来自店铺的登录链接已失效，请返回店铺账户重新进入。",
        ),
        ("SR-ANSWER", "009") => both(
            "Before you correct something, please show once more that it is you: ask for a code on the page of your data.",
            "更正之前，请先在“我们保存的您的信息”页面获取验证码，确认是您本人。",
        ),
        ("SR-KEEP", "016") => both(
            "This cannot stand in this field. Please look at it once more.",
            "填写的内容不符合该项的格式，请核对。",
        ),
        ("SR-CHOOSE", _) => both(
            "This cannot be chosen here. Please open the page of your choices again.",
            "此处无法作出该选择，请重新打开“我的选择”页面。",
        ),
        ("SR-ANSWER", _) => both(
            "This page is too old, or not from here. Please open it again.",
            "页面已失效，请重新打开后再试。",
        ),
        _ => both(
            "We could not do this by ourselves. Please write to the officer; the address stands below.",
            "系统未能自动完成，请联系个人信息保护负责人，联系方式见下方。",
        ),
    }
}
