//! Recipients and reviews: whatever depends on agreements, dates and what the shop gets for the data.

use super::Checked;
use crate::code::Code;
use crate::draft::{DraftAgreement, DraftPurpose, DraftRecipient};
use crate::finding::{At, Finding, Sink};
use crate::law;
use crate::read::table::S;
use crate::words::{Basis, Consideration, RecipientKind};
use jiff::civil::Date;

/// An agreement that ends within so many days is worth a word today.
const SOON_DAYS: i32 = 30;

pub(super) fn check(checked: &Checked<'_>, sink: &mut Sink) {
    let shop = &checked.draft.shop;
    if let (Some(reviewed), Some(review)) = (&shop.reviewed, &shop.review) {
        let due = review.value.after(reviewed.value);
        if due < checked.today {
            let finding = Finding::new(
                Code::ReviewOverdue,
                reviewed.at,
                format!("the policy should have been reviewed by {due}"),
            );
            sink.add(
                finding
                    .also(review.at, "this often")
                    .help("read it from end to end, then write today's date here"),
            );
        }
    }
    for recipient in &checked.draft.recipients {
        let named_by: Vec<(&DraftPurpose, At)> = checked
            .draft
            .purposes
            .iter()
            .filter_map(|purpose| {
                let mention = purpose.recipients.iter().find(|named| named.value == recipient.name.value)?;
                Some((purpose, mention.at))
            })
            .collect();
        if named_by.is_empty() && !checked.is_meant_elsewhere(recipient.name.value.as_str()) {
            let finding = Finding::new(
                Code::UnusedRecipient,
                recipient.name.at,
                format!("no purpose names `{}`", recipient.name.value),
            );
            sink.add(finding.help("add it to the `recipients` of the purpose it serves, or take it out"));
        }
        agreement(recipient, named_by.first().map(|(_, at)| *at), checked.today, sink);
        sale(checked, recipient, &named_by, sink);
        review(recipient, checked.today, sink);
    }
}

fn agreement(recipient: &DraftRecipient, named_at: Option<At>, today: Date, sink: &mut Sink) {
    let name = &recipient.name.value;
    if let Some(agreement) = &recipient.agreement {
        dates(recipient, agreement, today, sink);
        return;
    }
    if recipient.agreement_written || recipient.kind == Some(RecipientKind::Authority) {
        return;
    }
    let Some(named_at) = named_at else { return };
    let finding = Finding::new(
        Code::NoAgreement,
        recipient.name.at,
        format!("`{name}` gets data without an agreement"),
    );
    let help = "sign one, then add `agreement = { signed = 2026-03-01, until = 2027-03-01 }`; until then nothing is shared with it";
    sink.add(finding.also(named_at, "gets data here").help(help).cite(law::AGREEMENT));
}

fn dates(recipient: &DraftRecipient, agreement: &S<DraftAgreement>, today: Date, sink: &mut Sink) {
    let (name, signed) = (&recipient.name.value, &agreement.value.signed);
    if signed.value > today {
        let finding = Finding::new(
            Code::AgreementAhead,
            signed.at,
            format!("the agreement with `{name}` is not yet in force"),
        );
        sink.add(finding.help("nothing is shared with it before that day"));
    }
    let Some(until) = &agreement.value.until else { return };
    if until.value < signed.value {
        let finding = Finding::new(
            Code::AgreementOrder,
            until.at,
            format!("the agreement with `{name}` ends before it was signed"),
        );
        sink.add(finding.also(signed.at, "signed").help("check both dates"));
    } else if until.value < today {
        let finding = Finding::new(
            Code::AgreementEnded,
            until.at,
            format!("the agreement with `{name}` ended on {}", until.value),
        );
        sink.add(
            finding
                .help("renew it and write its new end; until then nothing is shared with it")
                .cite(law::AGREEMENT),
        );
    } else if until.value <= today.saturating_add(jiff::Span::new().days(SOON_DAYS)) {
        let finding = Finding::new(
            Code::AgreementEnds,
            until.at,
            format!("the agreement with `{name}` ends on {}", until.value),
        );
        sink.add(finding.help("renew it in time; from the next day on nothing is shared with it"));
    }
}

fn sale(
    checked: &Checked<'_>,
    recipient: &DraftRecipient,
    named_by: &[(&DraftPurpose, At)],
    sink: &mut Sink,
) {
    let Some(sold) = recipient.consideration.as_ref().filter(|got| got.value == Consideration::Sale) else {
        return;
    };
    let serves =
        |country: &str| checked.draft.shop.serves.iter().any(|place| place.value.country() == country);
    for (purpose, at) in named_by {
        let Some(basis) = purpose.basis.as_ref().filter(|basis| basis.value != Basis::SeparateConsent) else {
            continue;
        };
        let message = format!(
            "`{}` sells data to `{}` on the basis of `{}`",
            purpose.name.value, recipient.name.value, basis.value
        );
        if serves("cn") {
            let finding = Finding::new(Code::SaleCn, *at, message)
                .also(sold.at, "a sale")
                .also(basis.at, "not separate consent");
            sink.add(
                finding
                    .help("ask for it apart from everything else: `basis = \"separate_consent\"`")
                    .cite(law::SALE_CN),
            );
        } else if !basis.value.is_consent() {
            let laws = if serves("us") { law::SALE_US_CA } else { &[] };
            let finding = Finding::new(Code::Sale, *at, message).also(sold.at, "a sale").cite(laws);
            sink.add(finding.help("let people choose: `basis = \"consent\"`, or at least let them opt out"));
        }
    }
}

fn review(recipient: &DraftRecipient, today: Date, sink: &mut Sink) {
    let Some(review) = &recipient.review else { return };
    let name = &recipient.name.value;
    let last = recipient.reviewed.or_else(|| recipient.agreement.map(|agreement| agreement.value.signed));
    let Some(last) = last else {
        let finding =
            Finding::new(Code::ReviewOverdue, review.at, format!("`{name}` has never been reviewed"));
        sink.add(finding.help("review it, then add `reviewed = ` with the date"));
        return;
    };
    let due = review.value.after(last.value);
    if due < today {
        let finding = Finding::new(
            Code::ReviewOverdue,
            last.at,
            format!("`{name}` should have been reviewed by {due}"),
        );
        sink.add(finding.also(review.at, "this often").help("review it, then write the date to `reviewed`"));
    }
}
