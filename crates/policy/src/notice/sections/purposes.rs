//! What data is used for: in short, purpose by purpose, and datum by datum.

use super::{Block, Line, Scribe, table};
use crate::lawful::is_own;
use crate::model::{Field, Purpose, Recipient};
use crate::notice::line::Mark;
use crate::record::words;
use crate::words::{Basis, Channel};

pub(super) fn summary(scribe: &Scribe<'_>) -> Vec<Block> {
    if scribe.policy.purposes.is_empty() {
        return vec![Block::Paragraph(scribe.say(
            "We keep no personal data: there is nothing that we would use it for.",
            "我们不保存个人信息：没有任何需要使用个人信息的用途。",
        ))];
    }
    let columns = vec![
        scribe.say("Why", "用途"),
        scribe.say("What", "使用的信息"),
        scribe.say("Who gets it", "谁会收到"),
        scribe.say("How long", "保存多久"),
        scribe.say("Where", "存放在哪里"),
    ];
    let row = |purpose: &Purpose| {
        vec![
            vec![scribe.text(&purpose.says)],
            vec![scribe.list(scribe.fields(purpose).iter().map(|(field, _)| scribe.text(&field.label)))],
            vec![who(scribe, purpose)],
            vec![scribe.keep(purpose)],
            vec![places(scribe, purpose)],
        ]
    };
    let rows = scribe.policy.purposes.iter().map(row).collect();
    let caption = scribe.say("Each use of your data, in one row", "每项用途一行，一目了然");
    let rights = scribe.fill(
        "You can see, correct, take with you and erase your data, and say no: {0}.",
        "您可以查阅、更正、转移、删除您的信息，也可以拒绝：{0}。",
        &[scribe.link("My data", "我的数据", scribe.edition.links.my)],
    );
    vec![table(caption, columns, rows), Block::Paragraph(rights)]
}

/// Who gets data for a purpose, by name.
fn who(scribe: &Scribe<'_>, purpose: &Purpose) -> Line {
    let recipients = scribe.recipients(purpose);
    if recipients.is_empty() {
        return scribe.say("Nobody outside the shop", "不提供给店外任何人");
    }
    scribe.list(recipients.iter().map(|recipient| scribe.text(&recipient.title)))
}

/// Where data of a purpose is: at the shop, and at its recipients.
fn places(scribe: &Scribe<'_>, purpose: &Purpose) -> Line {
    let recipients = scribe.recipients(purpose);
    let all = std::iter::once(&scribe.policy.shop.kept_in).chain(recipients.iter().map(|one| &one.place));
    let mut places = Vec::new();
    for place in all {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    scribe.list(places.into_iter().map(|place| scribe.country(place)))
}

pub(super) fn purposes(scribe: &Scribe<'_>) -> Vec<Block> {
    let mut blocks = Vec::new();
    for purpose in &scribe.policy.purposes {
        let id = format!("purpose-{}", purpose.name);
        blocks.push(Block::Heading { id, title: scribe.text(&purpose.says) });
        blocks.push(Block::Facts(facts(scribe, purpose)));
    }
    blocks
}

fn facts(scribe: &Scribe<'_>, purpose: &Purpose) -> Vec<(Line, Vec<Line>)> {
    let fields = scribe.fields(purpose);
    let of = |optional: bool| {
        let fields = fields.iter().filter(|(_, used)| used.optional == optional);
        scribe.list(fields.map(|(field, used)| scribe.field(field, used)))
    };
    let mut facts = Vec::new();
    if fields.iter().any(|(_, used)| !used.optional) {
        facts.push((scribe.say("Needed", "必需信息"), vec![of(false), without(scribe, purpose)]));
    }
    if fields.iter().any(|(_, used)| used.optional) {
        let free = scribe
            .say("You can leave this out; nothing else depends on it.", "您可以不提供，不影响使用该项服务。");
        facts.push((scribe.say("Optional", "可选信息"), vec![of(true), free]));
    }
    facts.push((scribe.say("Why we may", "处理依据"), basis(scribe, purpose)));
    facts.push((scribe.say("How it is handled", "处理方式"), vec![handled(scribe, purpose)]));
    facts.push((scribe.say("Who gets it", "谁会收到"), vec![who(scribe, purpose)]));
    facts.push((scribe.say("How long", "保存期限"), super::kept::how_long(scribe, purpose)));
    facts
}

/// What follows where needed data is not given. LAW: GDPR 13(2)(e); PIPL 16.
fn without(scribe: &Scribe<'_>, purpose: &Purpose) -> Line {
    match purpose.basis {
        Basis::Consent | Basis::SeparateConsent => scribe.say(
            "If you do not give it, only this is left out. You can still buy.",
            "如不提供，仅无法使用这一项功能，不影响您购物。",
        ),
        Basis::Contract => scribe.say(
            "Nobody obliges you to give it; without it we cannot do this for you.",
            "您可以选择不提供，但缺少这些信息，我们无法为您提供这项服务。",
        ),
        Basis::LegalObligation => scribe.say("The law obliges us to have it.", "法律要求我们留存这些信息。"),
        Basis::LegitimateInterest => scribe.say(
            "Nobody obliges you to give it, and you can object to this use.",
            "您可以选择不提供，也可以反对这项使用。",
        ),
        Basis::VitalInterest | Basis::PublicTask => {
            scribe.say("Nobody obliges you to give it.", "您可以选择不提供。")
        }
    }
}

/// The ground of a purpose, in plain words.
fn basis(scribe: &Scribe<'_>, purpose: &Purpose) -> Vec<Line> {
    let choices = || scribe.link("My choices", "我的选择", scribe.edition.links.choices);
    let said = match purpose.basis {
        Basis::Consent => scribe.fill(
            "Your consent. You can take it back at any time, as easily as you gave it: {0}.",
            "您的同意。您可以随时撤回，与同意时一样方便：{0}。",
            &[choices()],
        ),
        Basis::SeparateConsent => scribe.fill(
            "Your separate consent: we ask for this alone, apart from everything else. You can take it back at any time: {0}.",
            "您的单独同意：我们就这一事项单独询问您，不与其他事项捆绑。您可以随时撤回：{0}。",
            &[choices()],
        ),
        Basis::Contract => scribe.say(
            "We need it to do what you asked for: it is part of the contract with you.",
            "为订立、履行与您之间的合同（例如完成您的订单）所必需。",
        ),
        Basis::LegalObligation => scribe.say("A law obliges us to.", "为履行法定义务所必需。"),
        Basis::LegitimateInterest => scribe.fill(
            "Our legitimate interest, namely: {0}. You can object at any time: {1}.",
            "我们的正当利益，即：{0}。您可以随时提出反对：{1}。",
            &[scribe.text(&purpose.says), choices()],
        ),
        Basis::VitalInterest => scribe.say(
            "To protect somebody’s life or health in an emergency.",
            "为在紧急情况下保护自然人的生命健康和财产安全所必需。",
        ),
        Basis::PublicTask => {
            scribe.say("A task in the public interest that a law gives us.", "为依法履行公共利益方面的任务所必需。")
        }
    };
    let mut lines = vec![said];
    if purpose.similar {
        lines.push(scribe.say(
            "Only for goods like those that you bought, and each message has a way out.",
            "仅限与您所购商品类似的商品，每条信息都提供退订方式。",
        ));
    }
    if let Some(law) = scribe.law_of(purpose) {
        lines.push(scribe.fill("The law: {0}", "法律依据：{0}", &[law]));
    }
    lines
}

/// What is done with the data. LAW: PIPL 17(1)(2).
fn handled(scribe: &Scribe<'_>, purpose: &Purpose) -> Line {
    let recipients = scribe.recipients(purpose);
    if recipients.is_empty() {
        return scribe.say(
            "Collected, kept encrypted, used for this only, then erased.",
            "收集、加密存储、仅用于本目的、到期删除。",
        );
    }
    let decides = |recipient: &&Recipient| Scribe::is_handler(recipient);
    if recipients.iter().any(decides) {
        return scribe.say(
            "Collected, kept encrypted, used for this only, given to those named below, then erased.",
            "收集、加密存储、仅用于本目的、向下列接收方提供、到期删除。",
        );
    }
    scribe.say(
        "Collected, kept encrypted, used for this only, handled by those named below on our instructions, then erased.",
        "收集、加密存储、仅用于本目的、委托下列接收方处理、到期删除。",
    )
}

pub(super) fn data(scribe: &Scribe<'_>) -> Vec<Block> {
    if scribe.policy.purposes.is_empty() {
        return Vec::new();
    }
    let columns = vec![
        scribe.say("Data", "个人信息"),
        scribe.say("Used for", "用途"),
        scribe.say("Needed", "是否必需"),
        scribe.say("Where it comes from", "来源"),
        scribe.say("Given to", "提供给"),
    ];
    let used = scribe.policy.fields.iter().filter(|field| !scribe.purposes_using(field).is_empty());
    let rows = used.map(|field| datum(scribe, field)).collect();
    let caption = scribe.say("Every datum that we keep about you", "我们收集的全部个人信息");
    let no_more = scribe.say(
        "What is not in this list we do not keep: it is dropped at the door, even if somebody sends it to us.",
        "不在清单中的信息，我们不保存：即使有人发送给我们，也会在入口处直接丢弃。",
    );
    vec![table(caption, columns, rows), Block::Paragraph(no_more)]
}

fn datum(scribe: &Scribe<'_>, field: &Field) -> Vec<Vec<Line>> {
    let purposes = scribe.purposes_using(field);
    let is_needed_for =
        |purpose: &&&Purpose| scribe.use_of(purpose, field).is_some_and(|used| !used.optional);
    let needed: Vec<&Purpose> = purposes.iter().filter(is_needed_for).copied().collect();
    let is_needed = if needed.len() == purposes.len() {
        scribe.say("yes", "是")
    } else if needed.is_empty() {
        scribe.say("no", "否")
    } else {
        let where_needed = scribe.list(needed.iter().map(|purpose| scribe.text(&purpose.says)));
        scribe.fill("only for: {0}", "仅用于以下目的时必需：{0}", &[where_needed])
    };
    let mut to: Vec<&Recipient> = Vec::new();
    for recipient in purposes.iter().flat_map(|purpose| scribe.recipients(purpose)) {
        if !to.iter().any(|known| known.name == recipient.name) {
            to.push(recipient);
        }
    }
    let given = if to.is_empty() {
        scribe.say("nobody", "无")
    } else {
        scribe.list(to.iter().map(|recipient| scribe.text(&recipient.title)))
    };
    let mut name = scribe.text(&field.label);
    if field.sensitive {
        name = scribe.mark(name, Mark::Sensitive);
    }
    vec![
        vec![name],
        purposes.iter().map(|purpose| scribe.text(&purpose.says)).collect(),
        vec![is_needed],
        vec![source(scribe, field)],
        vec![given],
    ]
}

/// Where a datum comes from, as far as its category and the shop's channels tell. LAW: GDPR 14(2)(f).
fn source(scribe: &Scribe<'_>, field: &Field) -> Line {
    if is_own(field.category) || field.category.is_within("user.payment") {
        return scribe.say("it comes about when you use the shop or pay", "您使用本店或付款时产生");
    }
    let channels = scribe.policy.shop.sells_on.iter().filter(|channel| **channel != Channel::Own);
    let names: Vec<Line> = channels.map(|channel| scribe.words(words::channel(*channel))).collect();
    if names.is_empty() {
        return scribe.say("from you", "由您提供");
    }
    scribe.fill(
        "from you, or from where you ordered ({0})",
        "由您提供，或由您下单的平台（{0}）传送",
        &[scribe.list(names)],
    )
}
