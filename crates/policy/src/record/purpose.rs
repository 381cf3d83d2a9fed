//! What the sheets of both laws say of one purpose. Each function fills one cell.

use super::scribe::Scribe;
use super::{Cell, words};
use crate::model::{Field, Kind, Purpose, Recipient, Used};
use crate::words::{Basis, Channel};

pub(super) fn number(scribe: &Scribe<'_>, purpose: &Purpose) -> Cell {
    let before = scribe.policy.purposes.iter().take_while(|other| other.name != purpose.name).count();
    Cell::Known(before.saturating_add(1).to_string())
}

pub(super) fn activity(scribe: &Scribe<'_>, purpose: &Purpose) -> Cell {
    Cell::Known(scribe.text(&purpose.says).to_owned())
}

/// Which part of the shop: the roles that have the purpose.
pub(super) fn function(scribe: &Scribe<'_>, purpose: &Purpose) -> Cell {
    let roles: Vec<&str> = scribe
        .policy
        .roles
        .iter()
        .filter(|role| role.purposes.contains(&purpose.name))
        .map(|role| scribe.text(&role.label))
        .collect();
    if roles.is_empty() {
        return scribe.task(
            "which part of the business does this; no role has it",
            "由哪个业务部门负责（没有岗位使用此目的）",
        );
    }
    Cell::Known(scribe.list(&roles))
}

pub(super) fn channel(scribe: &Scribe<'_>, _: &Purpose) -> Cell {
    let channels = &scribe.policy.shop.sells_on;
    // A shop of its own is what is assumed where the file does not say.
    if channels.as_slice() != [Channel::Own] {
        let named: Vec<&str> = channels.iter().map(|at| words::channel(*at).of(scribe.language)).collect();
        return Cell::Known(scribe.list(&named));
    }
    scribe.task(
        "through which channels: own shop, marketplace, app, telephone",
        "经由哪些渠道：自有网店、电商平台、应用程序、电话等",
    )
}

/// Whose data: the policy knows persons by the kinds of record that belong to no other.
pub(super) fn subjects(scribe: &Scribe<'_>, purpose: &Purpose) -> Cell {
    let mut labels: Vec<&str> = Vec::new();
    for kind in scribe.kinds(purpose) {
        // Kinds belong to others one level up and no further: the check refuses more.
        let above = kind.of.as_ref().and_then(|above| scribe.policy.find_kind(above.as_str()));
        let label = scribe.text(&above.unwrap_or(kind).label);
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    let labels = scribe.list(&labels);
    scribe.known(format!("persons with records of: {labels}"), format!("有“{labels}”记录的个人"))
}

/// Which data: a line for each kind of record.
pub(super) fn data(scribe: &Scribe<'_>, purpose: &Purpose) -> Cell {
    let line = |kind: &Kind| {
        let fields: Vec<String> = purpose
            .fields
            .iter()
            .filter(|used| used.kind == kind.name)
            .filter_map(|used| field(scribe, used))
            .collect();
        scribe.headed(scribe.text(&kind.label), &scribe.list(&fields))
    };
    Cell::Known(scribe.kinds(purpose).into_iter().map(line).collect::<Vec<_>>().join("\n"))
}

/// A field: its label; in English with its name in the taxonomy, which has no other language.
fn field(scribe: &Scribe<'_>, used: &Used) -> Option<String> {
    let field = scribe.policy.find_field(used.field.as_str())?;
    let label = scribe.text(&field.label);
    let category = scribe.say(field.category.name(), "");
    let more = [
        Some(category).filter(|category| !category.is_empty() && category != label),
        used.optional.then(|| scribe.say("optional", "可不提供")),
    ];
    let more: Vec<String> = more.into_iter().flatten().collect();
    Some(if more.is_empty() { label.to_owned() } else { scribe.with(label, &scribe.list(&more)) })
}

/// Which fields need special care, and why.
pub(super) fn sensitive(scribe: &Scribe<'_>, purpose: &Purpose) -> Cell {
    let fields = scribe.sensitive(purpose);
    if fields.is_empty() {
        return scribe.known("none, by the policy", "政策中无");
    }
    let line = |field: &&Field| {
        let why = if field.sensitive_by.is_empty() {
            scribe.say("declared sensitive in the policy", "政策中声明为敏感")
        } else {
            scribe.cite(field.sensitive_by)
        };
        scribe.headed(scribe.text(&field.label), &why)
    };
    Cell::Known(fields.iter().map(line).collect::<Vec<_>>().join("\n"))
}

pub(super) fn source(scribe: &Scribe<'_>, _: &Purpose) -> Cell {
    scribe.task(
        "where the data come from: the persons themselves, a marketplace, others",
        "个人信息从何而来：本人提供、电商平台、其他来源",
    )
}

pub(super) fn recipients(scribe: &Scribe<'_>, purpose: &Purpose) -> Cell {
    lines(scribe, purpose, |recipient| scribe.recipient(recipient))
}

/// With whom there is an agreement, and since when.
pub(super) fn agreements(scribe: &Scribe<'_>, purpose: &Purpose) -> Cell {
    lines(scribe, purpose, |recipient| {
        let agreement = match recipient.agreement {
            Some(agreed) => scribe.agreement(agreed),
            None if recipient.needs_agreement() => scribe.say("no agreement in the policy", "政策中无协议"),
            None => scribe.say("a public authority signs none", "公共机关不签订协议"),
        };
        scribe.headed(scribe.text(&recipient.title), &agreement)
    })
}

/// A line for each recipient.
fn lines(scribe: &Scribe<'_>, purpose: &Purpose, line: impl Fn(&Recipient) -> String) -> Cell {
    let recipients = scribe.recipients(purpose);
    if recipients.is_empty() {
        return scribe.known("none", "无");
    }
    Cell::Known(recipients.into_iter().map(line).collect::<Vec<_>>().join("\n"))
}

/// Where the data are and go, with what lies outside of where the law holds.
pub(super) fn places(scribe: &Scribe<'_>, purpose: &Purpose) -> Cell {
    let place = |place| {
        let country = scribe.country(place);
        if scribe.is_outside(place) { scribe.with(&country, &scribe.where_outside()) } else { country }
    };
    let kept = scribe.headed(&scribe.say("kept in", "存储于"), &place(&scribe.policy.shop.kept_in));
    let recipients = scribe.recipients(purpose).into_iter();
    let given = recipients.map(|one| scribe.headed(scribe.text(&one.title), &place(&one.place)));
    Cell::Known(std::iter::once(kept).chain(given).collect::<Vec<_>>().join("\n"))
}

/// How long: for use, at the latest, and by a law.
pub(super) fn retention(scribe: &Scribe<'_>, purpose: &Purpose) -> Cell {
    let used = scribe.headed(&scribe.say("used", "使用期限"), &scribe.keep(&purpose.keep));
    let cap = purpose
        .at_most
        .as_ref()
        .map(|cap| scribe.headed(&scribe.say("at the latest", "最迟"), &scribe.after(cap)));
    let by_law = purpose.must_keep.as_ref().map(|must| {
        let term = scribe.after(must);
        let said = purpose.law_text.as_ref().map(|law| scribe.text(law)).or(purpose.law.as_deref());
        let term = said.map_or_else(|| term.clone(), |law| scribe.with(&term, law));
        scribe.headed(&scribe.say("kept by law", "依法保存"), &term)
    });
    Cell::Known([Some(used), cap, by_law].into_iter().flatten().collect::<Vec<_>>().join("\n"))
}

/// What protects it that is particular to the purpose; what protects all of them stands on the general sheet.
pub(super) fn measures(scribe: &Scribe<'_>, purpose: &Purpose) -> Cell {
    let limit = purpose.limit();
    let mut measures = vec![
        scribe.say(
            "encrypted field by field; opened for this purpose only, each time with an entry in the ledger",
            "逐字段加密；仅可为本目的打开，每次均记入账本",
        ),
        scribe.say(
            format!(
                "one credential reaches at most {} persons an hour and {} a day",
                limit.per_hour, limit.per_day
            ),
            format!("每个凭证每小时最多接触{}人、每天最多{}人", limit.per_hour, limit.per_day),
        ),
    ];
    let masked: Vec<&str> = scribe
        .fields(purpose)
        .into_iter()
        .filter(|field| purpose.fields.iter().any(|used| used.field == field.name && used.masked))
        .map(|field| scribe.text(&field.label))
        .collect();
    if !masked.is_empty() {
        measures.push(scribe.headed(&scribe.say("shown masked", "脱敏显示"), &scribe.list(&masked)));
    }
    Cell::Known(measures.join("\n"))
}

/// Which system has it.
pub(super) fn systems(scribe: &Scribe<'_>, purpose: &Purpose) -> Cell {
    let kinds: Vec<&str> = scribe.kinds(purpose).into_iter().map(|kind| scribe.text(&kind.label)).collect();
    let (kinds, place) = (scribe.list(&kinds), scribe.country(&scribe.policy.shop.kept_in));
    scribe.known(
        format!("Strongroom, in {place}: records of {kinds}"),
        format!("Strongroom（位于{place}）：“{kinds}”记录"),
    )
}

pub(super) fn automated(scribe: &Scribe<'_>, _: &Purpose) -> Cell {
    scribe.task(
        "whether decisions are made by automated means alone, by which logic, with which effect; or none",
        "是否进行自动化决策及其逻辑和影响；如无，请写明",
    )
}

/// How a person ends it.
pub(super) fn refusal(scribe: &Scribe<'_>, purpose: &Purpose) -> Cell {
    match purpose.basis {
        Basis::Consent | Basis::SeparateConsent => scribe.known("by withdrawing consent", "可撤回同意"),
        Basis::LegitimateInterest => scribe.known("by objecting", "可提出反对"),
        Basis::Contract | Basis::LegalObligation | Basis::VitalInterest | Basis::PublicTask => scribe.known(
            "in Strongroom not by a word alone: the basis is neither consent nor legitimate interest",
            "在Strongroom中不因个人表示而终止：其合法性基础既非同意也非正当利益",
        ),
    }
}

/// Where it is proved who consented, to which words.
pub(super) fn consent(scribe: &Scribe<'_>, purpose: &Purpose) -> Cell {
    if !purpose.basis.is_consent() {
        return scribe.known("none needed: the basis is not consent", "不需要：合法性基础不是同意");
    }
    scribe.known(
        "the choices for this purpose in Strongroom, each with the version of the notice that was seen, and its receipt",
        "Strongroom中本目的的选择记录，每条附所见告知的版本和回执",
    )
}

pub(super) fn notice(scribe: &Scribe<'_>, _: &Purpose) -> Cell {
    scribe.task("a link to where the published notice says this", "已发布的隐私政策中相应条款的链接")
}

pub(super) fn owner(scribe: &Scribe<'_>, _: &Purpose) -> Cell {
    scribe.task("who answers for this activity", "本处理活动的责任人")
}

pub(super) fn review(scribe: &Scribe<'_>, _: &Purpose) -> Cell {
    Cell::Known(scribe.review(scribe.policy.shop.reviewed, scribe.policy.shop.review))
}

/// The basis in words, with a place in a law.
pub(super) fn basis_at(scribe: &Scribe<'_>, basis: Basis, en: &str, zh: &str) -> Cell {
    let word = words::basis(basis).of(scribe.language);
    Cell::Known(scribe.headed(word, &scribe.say(en, zh)))
}
