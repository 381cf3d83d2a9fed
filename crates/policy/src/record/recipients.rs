//! The sheet of those outside the shop who get data.

use super::scribe::Scribe;
use super::{Cell, Filled, Law, Sheet, both, cites, filled, row, words};
use crate::model::{Field, Recipient};
use crate::words::{RecipientKind, RecipientRole};

/// A row for each recipient of the policy.
pub(super) fn sheet(scribe: &Scribe<'_>) -> Sheet {
    let columns = match scribe.law {
        Law::Gdpr30 => GDPR,
        Law::Cn => CN,
    };
    let of = |one: &Recipient| row(scribe, columns, one.name.as_str(), scribe.text(&one.title), one);
    Sheet {
        key: "recipients",
        title: both("Recipients", "接收方"),
        columns: columns.iter().map(|filled| filled.column).collect(),
        rows: scribe.policy.recipients.iter().map(of).collect(),
    }
}

const GDPR: &[Filled<Recipient>] = &[
    filled("recipient", both("Recipient", "接收方"), cites::GDPR_RECIPIENTS, 26, name),
    filled("kind", both("Kind", "种类"), &[], 16, kind),
    filled("acts_as", both("Acts as", "身份"), cites::GDPR_PROCESSORS, 30, acts_as),
    filled("contact", both("Contact", "联系方式"), &[], 28, contact),
    filled("country", both("Country", "所在国家"), cites::GDPR_TRANSFERS, 24, country),
    filled("purposes", both("For the purposes", "所涉目的"), cites::GDPR_RECIPIENTS, 34, purposes),
    filled("data", both("At most these data", "最多涉及的数据"), cites::GDPR_CATEGORIES, 36, data),
    filled("agreement", both("Agreement", "协议"), cites::GDPR_PROCESSORS, 28, agreement),
    filled(
        "sub_processors",
        both("Sub-processors", "次级处理者"),
        cites::GDPR_PROCESSORS,
        28,
        sub_processors,
    ),
    filled("keep", both("May keep it", "可保存期限"), cites::GDPR_LIMITS, 30, keep),
    filled("consideration", both("The shop gets", "店铺所获对价"), &[], 22, consideration),
    filled("route", both("Safeguard of the transfer", "传输保障措施"), cites::GDPR_TRANSFERS, 32, route),
    filled("review", both("Review", "复核"), &[], 24, review),
];

const CN: &[Filled<Recipient>] = &[
    filled("recipient", both("Recipient", "接收方"), cites::PIPL_RECIPIENTS, 26, name),
    filled("kind", both("Kind", "种类"), &[], 16, kind),
    filled("acts_as", both("Acts as", "身份"), cites::PIPL_RECIPIENTS, 30, acts_as),
    filled("contact", both("Contact", "联系方式"), cites::PIPL_RECIPIENTS, 28, contact),
    filled("country", both("Place", "所在地"), cites::PIPL_EXPORT, 24, country),
    filled("purposes", both("For the purposes", "所涉目的"), cites::PIPL_RECIPIENTS, 34, purposes),
    filled("data", both("At most these data", "最多涉及的个人信息"), cites::PIPL_RECIPIENTS, 36, data),
    filled("agreement", both("Agreement", "协议"), cites::CN_AGREEMENTS, 28, agreement),
    filled("sub_processors", both("Entrusted onwards", "转委托"), cites::CN_AGREEMENTS, 28, sub_processors),
    filled("keep", both("May keep it", "可保存期限"), cites::CN_AGREEMENTS, 30, keep),
    filled("consideration", both("The shop gets", "店铺所获对价"), &[], 22, consideration),
    filled("route", both("Route of export", "出境路径"), cites::PIPL_EXPORT, 32, route),
    filled("review", both("Review", "复核"), &[], 24, review),
];

fn name(scribe: &Scribe<'_>, recipient: &Recipient) -> Cell {
    Cell::Known(scribe.text(&recipient.title).to_owned())
}

fn kind(scribe: &Scribe<'_>, recipient: &Recipient) -> Cell {
    Cell::Known(words::recipient_kind(recipient.kind).of(scribe.language).to_owned())
}

/// On whose account.
fn acts_as(scribe: &Scribe<'_>, recipient: &Recipient) -> Cell {
    match (recipient.kind, recipient.acts_as) {
        (RecipientKind::Authority, _) => scribe.known("public authority", "公共机关"),
        (_, RecipientRole::Processor) => {
            scribe.known("processor: on the shop's instructions only", "受托人：仅按店铺指示处理")
        }
        (_, RecipientRole::Handler) => {
            scribe.known("controller of its own", "其他个人信息处理者：自行决定处理目的和方式")
        }
    }
}

fn contact(scribe: &Scribe<'_>, recipient: &Recipient) -> Cell {
    match &recipient.contact {
        Some(contact) => Cell::Known(contact.clone()),
        None => scribe.task("how to reach it", "联系方式"),
    }
}

fn country(scribe: &Scribe<'_>, recipient: &Recipient) -> Cell {
    let country = scribe.country(&recipient.place);
    if scribe.is_outside(&recipient.place) {
        return Cell::Known(scribe.with(&country, &scribe.where_outside()));
    }
    Cell::Known(country)
}

fn purposes(scribe: &Scribe<'_>, recipient: &Recipient) -> Cell {
    let purposes = scribe.purposes_of(recipient);
    if purposes.is_empty() {
        return scribe.known(
            "none: no purpose names it, so it gets nothing",
            "无：没有目的列明该接收方，不向其提供数据",
        );
    }
    Cell::Known(purposes.iter().map(|purpose| scribe.text(&purpose.says)).collect::<Vec<_>>().join("\n"))
}

/// What it can get at all: every field of a purpose that names it.
fn data(scribe: &Scribe<'_>, recipient: &Recipient) -> Cell {
    let purposes = scribe.purposes_of(recipient);
    let used = |field: &&Field| {
        purposes.iter().any(|purpose| purpose.fields.iter().any(|used| used.field == field.name))
    };
    let labels: Vec<&str> =
        scribe.policy.fields.iter().filter(used).map(|field| scribe.text(&field.label)).collect();
    if labels.is_empty() {
        return scribe.known("none", "无");
    }
    Cell::Known(scribe.list(&labels))
}

fn agreement(scribe: &Scribe<'_>, recipient: &Recipient) -> Cell {
    match recipient.agreement {
        Some(agreed) => Cell::Known(scribe.agreement(agreed)),
        None if recipient.needs_agreement() => {
            scribe.task("the agreement: when it was signed, until when", "协议：签订日期和终止日期")
        }
        None => scribe.known("none needed: a public authority signs none", "不需要：公共机关不签订协议"),
    }
}

fn sub_processors(scribe: &Scribe<'_>, recipient: &Recipient) -> Cell {
    if recipient.kind == RecipientKind::Authority {
        return scribe.known("none needed: it is a public authority", "不需要：公共机关");
    }
    scribe.task(
        "whom it passes data on to on the shop's behalf; or nobody",
        "代表店铺再向谁委托处理；如无，请写明",
    )
}

fn keep(scribe: &Scribe<'_>, recipient: &Recipient) -> Cell {
    match &recipient.keep {
        Some(after) => Cell::Known(scribe.after(after)),
        None => scribe.task("how long it may keep what it got", "可保存所得数据的期限"),
    }
}

fn consideration(scribe: &Scribe<'_>, recipient: &Recipient) -> Cell {
    Cell::Known(words::consideration(recipient.consideration).of(scribe.language).to_owned())
}

fn route(scribe: &Scribe<'_>, recipient: &Recipient) -> Cell {
    if !scribe.is_outside(&recipient.place) {
        return match scribe.law {
            Law::Gdpr30 => scribe.known("none needed: it is in the EEA", "不需要：位于欧洲经济区内"),
            Law::Cn => scribe.known("none needed: it is in mainland China", "不涉及：位于境内"),
        };
    }
    if let Some(route) = scribe.route(recipient) {
        return Cell::Known(route);
    }
    match scribe.law {
        Law::Gdpr30 => scribe.task(
            "adequacy, standard clauses with their assessment, or another ground of Articles 45 to 49",
            "充分性认定、标准合同条款及其评估，或GDPR第45至49条的其他依据",
        ),
        Law::Cn => scribe.task(
            "security assessment, standard contract, certification, or the exemption",
            "数据出境安全评估、标准合同、认证，或适用的豁免情形",
        ),
    }
}

fn review(scribe: &Scribe<'_>, recipient: &Recipient) -> Cell {
    match (recipient.reviewed, recipient.review) {
        (Some(reviewed), Some(review)) => Cell::Known(scribe.review(reviewed, review)),
        (Some(reviewed), None) => scribe.task(
            format!("how often it is reviewed; the last time was {reviewed}"),
            format!("复核频率；上次复核：{reviewed}"),
        ),
        (None, _) => {
            scribe.task("when it was last reviewed, and how often that is done", "上次复核日期和复核频率")
        }
    }
}
