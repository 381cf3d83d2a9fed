//! The rows of the project's fact base, `../shared/law/vectors.jsonl`: each is asked as a question, and what is expected of it is looked up
//! in the answer.
//!
//! What a row calls its facts, and what it calls what it expects, is put into our words here. Nothing here knows an answer: numbers, days
//! and grades come out of the packs alone.

#![cfg(test)]

use std::io::Write;
use std::path::Path;

use rulebook::{Explained, Facts, built_in, decide, explain, question};
use serde_json::{Map, Value as Json, json};

/// The rows, or nothing after a line that says so.
fn rows() -> Option<Vec<Json>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/law/vectors.jsonl");
    let Ok(text) = std::fs::read_to_string(&file) else {
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: the fact base is not beside this checkout ({})",
            file.display()
        );
        return None;
    };
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// What a row asks, in our words.
struct Asked {
    pack: String,
    question: &'static str,
    facts: Map<String, Json>,
}

fn pack_of(jurisdiction: &str) -> String {
    match jurisdiction {
        "platform:amazon-sp-api" => "amazon".to_owned(),
        other => other.strip_prefix("platform:").unwrap_or(other).to_lowercase(),
    }
}

fn asked(row: &Json) -> Asked {
    let situation = row["situation"].as_object().unwrap();
    let event = situation["event"].as_str().unwrap();
    let mut facts = Map::new();
    // Names that mean the same everywhere.
    let names = [
        ("detected_at", "detected_at"),
        ("discovered_on", "detected_at"),
        ("determined_on", "detected_at"),
        ("known_on", "detected_at"),
        ("known_at", "detected_at"),
        ("aware_at", "detected_at"),
        ("at", "at"),
        ("persons_affected", "persons"),
        ("residents", "persons"),
        ("persons", "persons"),
        ("operator_is_ciio", "is_ciio"),
        ("exporter_is_ciio", "is_ciio"),
        ("operator_is_state_organ", "is_state_organ"),
        ("other_grading_criteria_met", "other_grading_criteria_met"),
        ("data_encrypted_key_safe", "encrypted_key_safe"),
        ("harm_effectively_avoided", "harm_avoided"),
        ("endangers_national_security_or_public_interest", "endangers_public"),
        ("important_data", "important_data"),
        ("cumulative_non_sensitive_persons", "persons_since_january"),
        ("cumulative_sensitive_persons", "sensitive_since_january"),
        ("ftz_negative_list_applies", "outside_negative_list"),
        ("issued_on", "issued_on"),
        ("last_audit_completed", "last_audit_on"),
        ("processes_minors_pi", "handles_minors"),
        ("targets_individuals_in_cn", "targets_persons_here"),
        ("targets_eu", "targets_persons_here"),
        ("age", "age"),
        ("basis", "basis"),
        ("received_on", "received_at"),
        ("received_at", "received_at"),
        ("extended", "extended"),
        ("risk", "risk"),
        ("role", "role"),
        ("cause", "cause"),
        ("significant_harm", "significant_harm"),
        ("known_customer", "known_customer"),
        ("date", "on"),
        ("today", "on"),
        ("transaction_completed", "began_on"),
        ("created", "began_on"),
    ];
    for (theirs, ours) in names {
        if let Some(value) = situation.get(theirs) {
            facts.insert(ours.to_owned(), value.clone());
        }
    }
    for place in ["established_in", "member_state", "to"] {
        if let Some(value) = situation.get(place).and_then(Json::as_str) {
            facts.insert(place.to_owned(), json!(value.to_lowercase()));
        }
    }
    let mut set = |name: &str, value: Json| {
        facts.insert(name.to_owned(), value);
    };
    let question = match event {
        "personal_data_leak" | "breach" => {
            // Who is asked decides for himself what is done with the data, unless the row says otherwise.
            if !situation.contains_key("role") {
                set("role", json!("controller"));
            }
            if situation.contains_key("unencrypted") {
                set("encrypted_key_safe", json!(false));
            }
            if situation.contains_key("sensitive") {
                set("sensitive_persons", json!(0));
            }
            if let Some(may) = situation.get("may_harm") {
                set("risk", json!(if may == true { "likely" } else { "unlikely" }));
            }
            "breach"
        }
        "product_vulnerability" => "vulnerability",
        "export" | "transfer" => {
            if let Some(purpose) = situation.get("purpose") {
                set("export_for", purpose.clone());
            }
            // The rows count persons: it is personal data. What is not said to come from abroad was collected at home.
            set("personal_data", json!(true));
            let is_from_abroad = situation.get("data_origin") == Some(&json!("collected_abroad"))
                && situation.get("domestic_pi_introduced") == Some(&json!(false));
            set("collected_abroad_only", json!(is_from_abroad));
            "transfer"
        }
        "security_assessment_result" => {
            set("paper", json!("security_assessment"));
            "transfer_paper"
        }
        "foreign_court_requests_data_stored_in_cn" => "foreign_request",
        "audit_schedule" => {
            set("handles_minors", json!(false));
            "audit"
        }
        "minors_audit" => {
            set("year_ends_on", json!(format!("{}-12-31", situation["year"])));
            "audit"
        }
        "small_handler_test" => "small_operator",
        "foreign_handler" => "representative",
        "non_eu_seller" => {
            set("occasional_low_risk", json!(situation["processing"] != "regular"));
            "representative"
        }
        "legal_basis_check" => {
            set("basis", json!(situation["basis"].as_str().unwrap().trim_end_matches('s')));
            "basis"
        }
        "age_check" => "minor",
        "personalised_recommendation" => {
            set("activity", json!("recommendation"));
            "default"
        }
        "sale_or_share" => {
            set("activity", json!("sale"));
            "default"
        }
        "account_cancellation_request" => {
            set("right", json!("cancel_account"));
            "request"
        }
        "erasure_request" => {
            set("right", json!("delete"));
            set("record", json!("transaction"));
            set("holder", json!("platform_operator"));
            "request"
        }
        "access_request" | "request_to_know" => {
            set("right", json!("access"));
            "request"
        }
        "access_request_full_declaration" => {
            set("right", json!("access"));
            set("full_declaration", json!(true));
            "request"
        }
        "objection" => {
            set("right", json!("object_marketing"));
            "request"
        }
        "data_protection_complaint" => {
            set("right", json!("complain"));
            "request"
        }
        "retention_minimum" => {
            set("record", json!("assessment_report"));
            "retention"
        }
        "page_request" => {
            set("gpc", json!(situation["headers"]["Sec-GPC"] == "1"));
            "signal"
        }
        "security_incident" | "app_uninstalled" => {
            set("event", json!(event));
            if let Some(at) = situation.get("detected_at") {
                set("at", at.clone());
            }
            "platform"
        }
        "oaid_merge" => {
            set("event", json!("merge_addressees"));
            let days: Vec<jiff::civil::Date> = situation["created"]
                .as_array()
                .unwrap()
                .iter()
                .map(|day| day.as_str().unwrap().parse().unwrap())
                .collect();
            let same_week = days[0].iso_week_date().week() == days[1].iso_week_date().week();
            set(
                "same_week_shop_and_app",
                json!(same_week && situation["same_seller"] == true && situation["same_appkey"] == true),
            );
            "platform"
        }
        other => panic!("{}: no question for `{other}`", row["id"]),
    };
    let known = question::find(question).unwrap();
    facts.retain(|name, _| known.facts.iter().any(|fact| fact.name == name));
    Asked { pack: pack_of(row["jurisdiction"].as_str().unwrap()), question, facts }
}

fn answer(row: &Json) -> Explained {
    let asked = asked(row);
    let pack = built_in()
        .find(&asked.pack)
        .unwrap_or_else(|| panic!("{}: there is no pack `{}`", row["id"], asked.pack));
    let question = question::find(asked.question).unwrap();
    let facts =
        Facts::read(question.facts, &asked.facts).unwrap_or_else(|bad| panic!("{}: {bad}", row["id"]));
    // Rows without a date ask about the day of the fact base.
    let on = Some(jiff::civil::date(2026, 11, 21));
    explain(pack, &facts, &decide(pack, question, &facts, on).unwrap())
}

/// What is expected under one name, looked up in the answer: what it should be, and what it is.
fn expected(row: &Json, name: &str, wanted: &Json, got: &Explained) -> Vec<(Json, Json)> {
    let says = |name: &str| {
        got.answers.iter().find(|answer| answer.name == name).map_or(Json::Null, |answer| answer.says.clone())
    };
    let by = |act: &str| {
        let due = got.duties.iter().find(|duty| duty.act == act && duty.certain && duty.by.is_some());
        due.map_or(Json::Null, |duty| json!(moment(duty.by.as_deref().unwrap())))
    };
    let owed = |act: &str| got.duties.iter().any(|duty| duty.act == act && duty.certain);
    let soon =
        |act: &str| got.duties.iter().any(|duty| duty.act == act && duty.certain && duty.soon.is_some());
    let day = |wanted: &Json| json!(moment(wanted.as_str().unwrap()));
    let text = wanted.as_str().unwrap_or_default();
    let is = |wanted: &Json, got: Json| vec![(wanted.clone(), got)];
    let holds = |holds: bool| vec![(json!(true), json!(holds))];
    match name {
        "grade" => {
            let grades = [
                ("特别重大", "extremely_major"),
                ("below", "general"),
                ("重大", "major"),
                ("较大", "larger"),
            ];
            let grade = grades.iter().find(|(theirs, _)| text.starts_with(theirs)).unwrap().1;
            is(&json!(grade), says("grade"))
        }
        "incident_report_required" => is(wanted, says("report_incident")),
        "report_to" if text.starts_with("provincial CAC") => to(got, "report_incident", "province"),
        "report_to" => {
            to(got, if owed("report_audit") { "report_audit" } else { "file_representative" }, "city")
        }
        "report_hours" => {
            let act = if row["situation"]["event"] == "product_vulnerability" {
                "report"
            } else {
                "report_incident"
            };
            let within = got.duties.iter().find(|duty| duty.act == act).and_then(|duty| duty.within.clone());
            is(&json!(format!("{wanted}h")), json!(within))
        }
        "report_due" => {
            let act =
                ["report_incident", "report", "report_audit"].into_iter().find(|act| owed(act)).unwrap_or("");
            is(&day(wanted), by(act))
        }
        "pipl_art57_notice" => holds(soon("notify_authority") && soon("notify_individuals")),
        "final_summary_report" if wanted.is_null() => holds(!owed("summary_report")),
        "final_summary_report" => holds(owed("summary_report")),
        "notify_authority" => {
            let mandatory = says("notify_authority");
            is(wanted, mandatory)
        }
        "notify_individuals" => is(&json!("unless_ordered_not_required"), says("notify_individuals")),
        "article_23_48_timer" => holds(!owed("report_incident")),
        "route" => {
            let routes = [
                ("exempt", "exempt"),
                ("standard_contract_or_certification", "standard_contract_or_certification"),
                ("security_assessment", "security_assessment"),
                ("SCC", "safeguards"),
            ];
            let route = routes.iter().find(|(theirs, _)| text.starts_with(theirs)).unwrap().1;
            is(&json!(route), says("route"))
        }
        "mechanisms_required" => holds(!owed("file_contract") && !owed("apply_for_assessment")),
        "still_required" => holds(owed("inform") && owed("separate_consent") && owed("assess_impact")),
        "adequacy" => is(wanted, says("adequate")),
        "valid_until" => is(&day(wanted), by("holds_until")),
        "renewal_application" => {
            let opens = got.duties.iter().any(|duty| duty.act == "renew_from" && duty.not_before.is_some());
            holds(opens)
        }
        "renewal_term_years" => {
            holds(got.duties.iter().any(|duty| duty.act == "renew_from" && duty.note.is_some()))
        }
        "decision" => {
            let decisions =
                [("block", "block"), ("stop", "stop"), ("refuse_erasure_with_reason", "keep_and_restrict")];
            let decision = decisions.iter().find(|(theirs, _)| *theirs == text).unwrap().1;
            is(&json!(decision), says("decision"))
        }
        "unless" => holds(owed("ask_for_approval")),
        "audit_every_years" => is(&json!("two_years"), says("every")),
        "next_due_on_or_before" => is(&day(wanted), by("audit")),
        "audit" => is(&json!("year"), says("every")),
        "small_handler" => is(wanted, says("small")),
        "pipl_applies" => is(wanted, says("applies")),
        "domestic_agency_or_representative" | "art27_representative" => is(wanted, says("representative")),
        "valid" => is(wanted, says("valid")),
        "alternatives" => holds(says("alternatives").as_array().is_some_and(|all| all.len() >= 7)),
        "guardian_consent" | "parental_authorisation" => is(wanted, says("guardian_consent")),
        "sensitive_pi_because_of_age" => is(wanted, says("sensitive_by_age")),
        "minors_regulation_still_applies" => is(wanted, says("minors_rules")),
        "must_offer" => holds(owed("offer_non_personalised") && owed("easy_refusal") && owed("delete_tags")),
        "default" => is(&json!("opt_out"), says("model")),
        "due" | "extended_due" if row["situation"]["event"] == "security_incident" => {
            is(&day(wanted), by("tell_platform"))
        }
        "extended_due" => {
            let extended = with_fact(row, "extended", json!(true));
            let due = extended
                .duties
                .iter()
                .filter(|duty| duty.act.starts_with("answer"))
                .filter_map(|duty| duty.by.clone());
            holds(due.map(|due| moment(&due)).any(|due| json!(due) == day(wanted)))
        }
        "due" => {
            let due = got
                .duties
                .iter()
                .filter(|duty| duty.act == "answer" && duty.certain)
                .filter_map(|duty| duty.by.clone());
            let due: Vec<String> = due.map(|due| moment(&due)).collect();
            is(&json!([day(wanted)]), json!(due))
        }
        "basis" | "statute_standard" | "respond" => holds(soon("answer")),
        "action" => holds(owed("restrict")),
        "retain_until_at_least" | "keep_at_least_until" => is(&day(wanted), by("keep_at_least")),
        "extension_notice_by" => is(&day(wanted), by("tell_of_extension")),
        "balancing_test" => is(wanted, says("balancing_test")),
        "record" => is(wanted, json!(owed("record"))),
        "notify" if text.starts_with("controller") => holds(owed("notify_controller")),
        "notify" => holds(owed("tell_platform")),
        "acknowledge_by" | "confirm_receipt_by" => is(&day(wanted), by("acknowledge")),
        "acceptable_alternative" => {
            holds(got.duties.iter().any(|duty| duty.act == "acknowledge" && duty.note.is_some()))
        }
        "treat_as" => is(
            &json!([["browser", "account"], "opt_out"]),
            json!([says("covers"), if owed("opt_out_sale") { "opt_out" } else { "" }]),
        ),
        "display_status" => is(wanted, says("show_status")),
        "ask_for_more_info" => is(wanted, says("may_ask_more")),
        "individuals_due" | "subjects_due" => is(&day(wanted), by("notify_individuals")),
        "ag_required" => is(wanted, json!(owed("notify_attorney_general"))),
        "ag_due" => is(&day(wanted), by("notify_attorney_general")),
        "opt_in_required_from" => {
            let from = if text == "consumer" { "person" } else { text };
            is(&json!(["opt_in", from]), json!([says("model"), says("opt_in_from")]))
        }
        "mandatory" => is(wanted, says("mandatory")),
        "notifiable" | "reportable" => is(wanted, says("notify_authority")),
        "preliminary" => holds(owed("preliminary_report")),
        "preliminary_target" => {
            let aim = got
                .duties
                .iter()
                .find(|duty| duty.act == "preliminary_report")
                .and_then(|duty| duty.aim.clone());
            is(wanted, json!(aim))
        }
        "final_due" => is(&day(wanted), by("final_report")),
        "pipc_or_kisa_due" | "authority_due" | "board_detailed_due" => {
            is(&day(wanted), by("notify_authority"))
        }
        "form" => holds(got.duties.iter().any(|duty| duty.act == "notify_authority" && duty.note.is_some())),
        "board_initial" => holds(soon("preliminary_report")),
        "notify_each_principal" => is(&json!("required"), says("notify_individuals")),
        "threshold" => holds(!got.asks.iter().any(|ask| ask.fact == "persons")),
        "silence" => is(&json!("refusal"), says("silence")),
        "recommended" => holds(owed("recommended_notice")),
        "expect_shop_redact_at" => is(&day(wanted), by("expect_redact")),
        "oaids_equal" => is(wanted, says("same_person")),
        "reason" => holds(got.steps.iter().any(|step| step.holds == "yes" && !step.cites.is_empty())),
        other => panic!("{}: nothing looks up `{other}`", row["id"]),
    }
}

fn to(got: &Explained, act: &str, whom: &str) -> Vec<(Json, Json)> {
    let to = got.duties.iter().find(|duty| duty.act == act && duty.certain).and_then(|duty| duty.to.as_ref());
    vec![(json!(true), json!(to.is_some_and(|to| to.en.contains(whom))))]
}

fn with_fact(row: &Json, name: &str, value: Json) -> Explained {
    let mut row = row.clone();
    row["situation"][name] = value;
    answer(&row)
}

/// A day, or an instant as every spelling of it has it.
fn moment(text: &str) -> String {
    if text.len() <= "2026-03-02".len() {
        return text.to_owned();
    }
    let (civil, offset) = text.split_at("2026-03-02T13:00".len());
    let offset = offset.strip_prefix(":00").filter(|rest| rest.contains(['+', '-', 'Z'])).unwrap_or(offset);
    format!("{civil}:00{offset}").parse::<jiff::Timestamp>().unwrap().to_string()
}

#[test]
fn every_row_of_the_fact_base_is_answered_as_it_says() {
    let Some(rows) = rows() else { return };
    let mut differs = Vec::new();
    for row in &rows {
        if built_in().find(&pack_of(row["jurisdiction"].as_str().unwrap())).is_none() {
            differs.push(format!("{}: there is no pack for it", row["id"]));
            continue;
        }
        let got = answer(row);
        for (name, wanted) in row["expected"].as_object().unwrap() {
            for (wanted, is) in expected(row, name, wanted, &got) {
                if wanted != is {
                    differs.push(format!("{}: `{name}` should be {wanted} and is {is}", row["id"]));
                }
            }
        }
    }
    assert!(differs.is_empty(), "\n{}\n{} of {} rows", differs.join("\n"), differs.len(), rows.len());
}
