//! The controller's sheet: GDPR 30(1), with the columns beside it that officers keep.

use super::scribe::Scribe;
use super::{Cell, Filled, Row, Sheet, both, cites, filled, purpose, row};
use crate::model::Purpose;
use crate::words::Basis;

/// A row for each purpose of the policy.
pub(super) fn sheet(scribe: &Scribe<'_>) -> Sheet {
    let of = |one: &Purpose| -> Row { row(scribe, COLUMNS, one.name.as_str(), scribe.text(&one.says), one) };
    Sheet {
        key: "activities",
        title: both("Processing activities", "处理活动"),
        columns: COLUMNS.iter().map(|filled| filled.column).collect(),
        rows: scribe.policy.purposes.iter().map(of).collect(),
    }
}

const COLUMNS: &[Filled<Purpose>] = &[
    filled("number", both("No.", "序号"), &[], 6, purpose::number),
    filled(
        "activity",
        both("Activity and its purpose", "处理活动与目的"),
        cites::GDPR_PURPOSE,
        28,
        purpose::activity,
    ),
    filled("function", both("Business function", "业务部门"), &[], 20, purpose::function),
    filled("channel", both("Channel", "渠道"), &[], 24, purpose::channel),
    filled("basis", both("Legal basis", "合法性基础"), cites::GDPR_BASIS, 26, basis),
    filled(
        "interests",
        both("Assessment of legitimate interests", "正当利益评估"),
        cites::GDPR_INTERESTS,
        26,
        interests,
    ),
    filled(
        "subjects",
        both("Categories of persons", "个人类别"),
        cites::GDPR_CATEGORIES,
        24,
        purpose::subjects,
    ),
    filled("data", both("Categories of data", "个人数据类别"), cites::GDPR_CATEGORIES, 44, purpose::data),
    filled("sensitive", both("Sensitive data", "敏感数据"), &[], 30, purpose::sensitive),
    filled(
        "special",
        both("Special categories: condition", "特殊类别：例外条件"),
        cites::GDPR_SPECIAL,
        30,
        special,
    ),
    filled("source", both("Source of the data", "数据来源"), &[], 26, purpose::source),
    filled("recipients", both("Recipients", "接收方"), cites::GDPR_RECIPIENTS, 34, purpose::recipients),
    filled("agreements", both("Agreements", "协议"), cites::GDPR_PROCESSORS, 34, purpose::agreements),
    filled("places", both("Countries", "所在国家"), cites::GDPR_TRANSFERS, 34, purpose::places),
    filled(
        "safeguards",
        both("Safeguards of transfers", "传输保障措施"),
        cites::GDPR_TRANSFERS,
        34,
        safeguards,
    ),
    filled(
        "retention",
        both("Time limits for erasure", "删除期限"),
        cites::GDPR_LIMITS,
        40,
        purpose::retention,
    ),
    filled("measures", both("Security measures", "安全措施"), cites::GDPR_MEASURES, 44, purpose::measures),
    filled("systems", both("Systems and locations", "系统与位置"), &[], 28, purpose::systems),
    filled(
        "automated",
        both("Automated decisions", "自动化决策"),
        cites::GDPR_AUTOMATED,
        28,
        purpose::automated,
    ),
    filled(
        "refusal",
        both("How a person ends it", "个人如何终止"),
        cites::GDPR_REFUSAL,
        28,
        purpose::refusal,
    ),
    filled("consent", both("Record of consent", "同意记录"), &[], 30, purpose::consent),
    filled("notice", both("In the notice", "告知条款"), cites::GDPR_NOTICE, 24, purpose::notice),
    filled(
        "assessment",
        both("Impact assessment", "数据保护影响评估"),
        cites::GDPR_ASSESSMENT,
        28,
        assessment,
    ),
    filled("breaches", both("Breaches", "数据泄露"), cites::GDPR_BREACHES, 22, breaches),
    filled("owner", both("Owner", "责任人"), &[], 22, purpose::owner),
    filled("review", both("Review", "复核"), &[], 22, purpose::review),
];

// LAW: GDPR 6(1)(a)-(f), unverified.
fn basis(scribe: &Scribe<'_>, purpose: &Purpose) -> Cell {
    let letter = match purpose.basis {
        Basis::Consent | Basis::SeparateConsent => 'a',
        Basis::Contract => 'b',
        Basis::LegalObligation => 'c',
        Basis::VitalInterest => 'd',
        Basis::PublicTask => 'e',
        Basis::LegitimateInterest => 'f',
    };
    purpose::basis_at(
        scribe,
        purpose.basis,
        &format!("GDPR 6(1)({letter})"),
        &format!("GDPR第6(1)({letter})条"),
    )
}

fn interests(scribe: &Scribe<'_>, purpose: &Purpose) -> Cell {
    if purpose.basis == Basis::LegitimateInterest {
        return scribe.task(
            "which interest it is, and where it is weighed against those of the persons",
            "所追求的正当利益，以及与个人利益权衡的评估文件",
        );
    }
    scribe.known("none needed: the basis is not legitimate interest", "不需要：合法性基础不是正当利益")
}

/// What lets the shop use data that Articles 9 and 10 forbid to use.
fn special(scribe: &Scribe<'_>, purpose: &Purpose) -> Cell {
    let (mut named, mut declared) = (Vec::new(), Vec::new());
    for field in scribe.sensitive(purpose) {
        if field.sensitive_by.iter().any(|cite| cite.law == "GDPR") {
            named.push(scribe.text(&field.label));
        } else if field.sensitive_by.is_empty() {
            declared.push(scribe.text(&field.label));
        }
    }
    if !named.is_empty() {
        let fields = scribe.list(&named);
        return scribe.task(
            format!("the condition of Article 9(2), or the law that Article 10 asks for, for: {fields}"),
            format!("适用的GDPR第9(2)条例外条件，或第10条要求的法律依据：{fields}"),
        );
    }
    if !declared.is_empty() {
        let fields = scribe.list(&declared);
        return scribe.task(
            format!("whether Article 9 or 10 applies to what the shop calls sensitive, and by which condition: {fields}"),
            format!("店铺声明为敏感的字段是否适用GDPR第9条或第10条，以及依据何种条件：{fields}"),
        );
    }
    scribe.known(
        "none needed: no field of a category that Article 9 or 10 names",
        "不需要：无GDPR第9条、第10条所列类别的字段",
    )
}

// LAW: GDPR 45-49, unverified. Which of them holds is a person's word, until the policy can say it.
fn safeguards(scribe: &Scribe<'_>, purpose: &Purpose) -> Cell {
    let outside: Vec<String> =
        scribe.outside(purpose).into_iter().map(|place| scribe.country(place)).collect();
    if outside.is_empty() {
        return scribe.known("none needed: all of it stays in the EEA", "不需要：全部数据均在欧洲经济区内");
    }
    if let Some(routes) = scribe.routes(purpose) {
        return Cell::Known(routes);
    }
    let outside = scribe.list(&outside);
    scribe.task(
        format!("for {outside}: adequacy, standard clauses with their assessment, or another ground of Articles 45 to 49; or why it is no transfer"),
        format!("{outside}：充分性认定、标准合同条款及其评估，或GDPR第45至49条的其他依据；如不构成传输，请说明理由"),
    )
}

fn assessment(scribe: &Scribe<'_>, purpose: &Purpose) -> Cell {
    if let Some(day) = purpose.assessed {
        return scribe.task(
            format!("made on {day}: where it is, and what came of it"),
            format!("已于{day}完成：存放位置和结论"),
        );
    }
    scribe.task(
        "whether an impact assessment is needed; if so, when it was made and where it is",
        "是否需要数据保护影响评估；如需要，请写明完成日期和存放位置",
    )
}

fn breaches(scribe: &Scribe<'_>, _: &Purpose) -> Cell {
    scribe
        .task("the breaches that concerned this activity; or none", "涉及本处理活动的数据泄露；如无，请写明")
}
