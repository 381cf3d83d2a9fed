//! 个人信息处理活动台账: the sheet that a Chinese officer keeps.

use super::scribe::Scribe;
use super::{Cell, Filled, Row, Sheet, both, cites, filled, purpose, row};
use crate::model::Purpose;
use crate::words::Basis;

/// A row for each purpose of the policy.
pub(super) fn sheet(scribe: &Scribe<'_>) -> Sheet {
    let of = |one: &Purpose| -> Row { row(scribe, COLUMNS, one.name.as_str(), scribe.text(&one.says), one) };
    Sheet {
        key: "activities",
        title: both("Processing activities", "个人信息处理活动台账"),
        columns: COLUMNS.iter().map(|filled| filled.column).collect(),
        rows: scribe.policy.purposes.iter().map(of).collect(),
    }
}

const COLUMNS: &[Filled<Purpose>] = &[
    filled("number", both("No.", "序号"), &[], 6, purpose::number),
    filled("activity", both("Purpose", "处理目的"), cites::PIPL_NOTICE, 26, purpose::activity),
    filled("function", both("Business function", "业务部门"), &[], 18, purpose::function),
    filled("channel", both("Channel", "渠道"), &[], 24, purpose::channel),
    filled("method", both("Method", "处理方式"), cites::PIPL_NOTICE, 30, method),
    filled("subjects", both("Categories of persons", "个人类别"), &[], 22, purpose::subjects),
    filled(
        "data",
        both("Kinds of personal information", "个人信息种类"),
        cites::PIPL_NOTICE,
        40,
        purpose::data,
    ),
    filled("sensitive", both("Sensitive", "敏感个人信息"), cites::PIPL_SENSITIVE, 28, purpose::sensitive),
    filled("basis", both("Legal basis", "合法性基础"), cites::PIPL_BASIS, 30, basis),
    filled("source", both("Source", "个人信息来源"), &[], 26, purpose::source),
    filled("retention", both("Retention", "保存期限"), cites::PIPL_RETENTION, 38, purpose::retention),
    filled("recipients", both("Recipients", "接收方"), cites::PIPL_RECIPIENTS, 32, purpose::recipients),
    filled("agreements", both("Agreements", "协议"), cites::CN_AGREEMENTS, 34, purpose::agreements),
    filled("places", both("Places", "存储与接收地"), cites::PIPL_EXPORT, 30, purpose::places),
    filled("route", both("Route of export", "出境路径"), cites::PIPL_EXPORT, 30, route),
    filled(
        "separate_consent",
        both("Separate consent", "单独同意"),
        cites::PIPL_SEPARATE,
        32,
        separate_consent,
    ),
    filled(
        "assessment",
        both("Number of the impact assessment", "影响评估编号"),
        cites::PIPL_ASSESSMENT,
        32,
        assessment,
    ),
    filled(
        "automated",
        both("Automated decisions", "自动化决策"),
        cites::PIPL_AUTOMATED,
        26,
        purpose::automated,
    ),
    filled("measures", both("Security measures", "安全措施"), cites::PIPL_MEASURES, 40, purpose::measures),
    filled("systems", both("Systems and locations", "系统与位置"), &[], 26, purpose::systems),
    filled(
        "refusal",
        both("How a person ends it", "个人如何终止"),
        cites::PIPL_WITHDRAWAL,
        26,
        purpose::refusal,
    ),
    filled("consent", both("Record of consent", "同意记录"), cites::PIPL_CONSENT, 28, purpose::consent),
    filled("notice", both("In the notice", "告知条款"), cites::PIPL_NOTICE, 24, purpose::notice),
    filled("owner", both("Owner", "责任人"), &[], 20, purpose::owner),
    filled("review", both("Review", "复核"), &[], 22, purpose::review),
];

/// What is done with it: what Strongroom does with every field that a purpose keeps, and whether somebody gets it.
fn method(scribe: &Scribe<'_>, purpose: &Purpose) -> Cell {
    let own = scribe.say("collection, storage, use, deletion", "收集、存储、使用、删除");
    if purpose.recipients.is_empty() {
        return Cell::Known(own);
    }
    let given = scribe.say("passing on to recipients", "向接收方提供或委托处理");
    Cell::Known(scribe.list(&[own, given]))
}

// LAW: PIPL 13(1)(1)-(7). It knows no legitimate interests and no public task as such.
fn basis(scribe: &Scribe<'_>, purpose: &Purpose) -> Cell {
    let at = |number: u8| {
        purpose::basis_at(
            scribe,
            purpose.basis,
            &format!("PIPL 13(1)({number})"),
            &format!("《个人信息保护法》第13条第1款第({number})项"),
        )
    };
    match purpose.basis {
        Basis::Consent | Basis::SeparateConsent => at(1),
        Basis::Contract => at(2),
        Basis::LegalObligation => at(3),
        Basis::VitalInterest => scribe.task(
            "the policy says vital interest; PIPL 13(1)(4) has it for emergencies only: which emergency it is, or another basis",
            "政策所载为保护重大利益；《个人信息保护法》第13条第1款第(4)项仅适用于突发公共卫生事件或紧急情况：请写明属于何种情形，或改用其他合法性基础",
        ),
        Basis::PublicTask => scribe.task(
            "the policy says public task; PIPL 13 has no such basis: which of its seven it is",
            "政策所载为公共利益任务；《个人信息保护法》第13条无此基础：请写明属于七项中的哪一项",
        ),
        Basis::LegitimateInterest => scribe.task(
            "the policy says legitimate interest; PIPL 13 has no such basis: another basis, or why PIPL does not apply",
            "政策所载为正当利益；《个人信息保护法》第13条无此基础：请写明其他合法性基础，或不适用该法的理由",
        ),
    }
}

fn route(scribe: &Scribe<'_>, purpose: &Purpose) -> Cell {
    let outside: Vec<String> =
        scribe.outside(purpose).into_iter().map(|place| scribe.country(place)).collect();
    if outside.is_empty() {
        return scribe.known("none: all of it stays in mainland China", "不涉及：全部在境内");
    }
    if let Some(routes) = scribe.routes(purpose) {
        return Cell::Known(routes);
    }
    let outside = scribe.list(&outside);
    scribe.task(
        format!("for {outside}: security assessment, standard contract, certification, or the exemption"),
        format!("{outside}：数据出境安全评估、标准合同、认证，或适用的豁免情形"),
    )
}

// LAW: PIPL 23, 29, 39.
fn separate_consent(scribe: &Scribe<'_>, purpose: &Purpose) -> Cell {
    let reasons = [
        (!scribe.sensitive(purpose).is_empty())
            .then(|| scribe.say("sensitive data (PIPL 29)", "敏感个人信息（第29条）")),
        (!purpose.recipients.is_empty()).then(|| {
            scribe.say(
                "recipients that are handlers themselves (PIPL 23)",
                "接收方为其他个人信息处理者（第23条）",
            )
        }),
        (!scribe.outside(purpose).is_empty())
            .then(|| scribe.say("data that leave mainland China (PIPL 39)", "向境外提供（第39条）")),
    ];
    let reasons: Vec<String> = reasons.into_iter().flatten().collect();
    if purpose.basis == Basis::SeparateConsent && reasons.len() < 2 {
        return scribe.known("yes: it is the basis of this purpose", "是：单独同意即本目的的合法性基础");
    }
    if reasons.is_empty() {
        return scribe.known(
            "no ground for it in the policy: no sensitive data, no recipients, nothing leaves mainland China",
            "政策中无需要单独同意的情形：无敏感个人信息、无接收方、不出境",
        );
    }
    let reasons = scribe.list(&reasons);
    if purpose.basis == Basis::SeparateConsent {
        return scribe.task(
            format!(
                "it is the basis of this purpose; whether it is asked for each of these apart: {reasons}"
            ),
            format!("单独同意为本目的的合法性基础；请确认是否就下列各项分别取得：{reasons}"),
        );
    }
    scribe.task(
        format!("whether separate consent is needed and how it is asked for, or why not; to be looked at: {reasons}"),
        format!("是否需要单独同意及取得方式，或不需要的理由；须核查：{reasons}"),
    )
}

// LAW: PIPL 55: sensitive data; automated decisions; entrusting, providing, publishing; export; other major effects.
fn assessment(scribe: &Scribe<'_>, purpose: &Purpose) -> Cell {
    if let Some(day) = purpose.assessed {
        return scribe.task(
            format!("made on {day}: number of the report, and where it is"),
            format!("已于{day}完成：评估报告编号和存放位置"),
        );
    }
    let reasons = [
        (!scribe.sensitive(purpose).is_empty()).then(|| scribe.say("sensitive data", "处理敏感个人信息")),
        (!purpose.recipients.is_empty())
            .then(|| scribe.say("passing on to recipients", "委托处理或向他人提供")),
        (!scribe.outside(purpose).is_empty())
            .then(|| scribe.say("data that leave mainland China", "向境外提供")),
    ];
    let reasons: Vec<String> = reasons.into_iter().flatten().collect();
    if reasons.is_empty() {
        return scribe.task(
            "whether one is needed for automated decisions or another major effect; the policy shows no other ground for it",
            "是否因自动化决策或其他重大影响而需要评估；政策中未见其他须评估的情形",
        );
    }
    let reasons = scribe.list(&reasons);
    scribe.task(
        format!("number and date of the assessment, which is needed for: {reasons}"),
        format!("评估报告编号和日期（须评估的情形：{reasons}）"),
    )
}
