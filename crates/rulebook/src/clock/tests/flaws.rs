//! What a calendar's file may not say, and what its faults tell.

use jiff::civil::{Date, date};

use super::*;
use crate::pack::Confidence;

const HEAD: &str =
    "id = 'xx'\nname = { en = 'Example', zh = '示例' }\nsource = 'Act'\nconfidence = 'unverified'\n";
const LISTED: &str = "weekend = ['saturday', 'sunday']\ncoverage = 'listed'\n";

fn parse(rest: &str) -> Result<Calendar, CalendarFault> {
    Calendar::parse("xx.toml", &format!("{HEAD}{rest}"))
}

/// The flaw of a listed calendar that says this of 2026.
fn flaw(year: &str) -> Flaw {
    parse(&format!("{LISTED}[year.2026]\npublished = true\n{year}")).unwrap_err().flaw
}

#[test]
fn a_file_that_says_nothing_twice_is_read() {
    let calendar = parse(&format!(
        "{LISTED}rules = [{{ on = '05-01', name = 'May' }}]\n[year.2026]\npublished = true\nsource = 'notice'\n\
         confidence = 'verified'\noff = ['2026-10-01..2026-10-07 Week', '2026-06-01']\nworking = ['2026-10-10']\n"
    ));
    let calendar = calendar.unwrap();
    assert_eq!(calendar.names().zh, "示例");
    let year = calendar.year(2026);
    assert_eq!((year.known, year.source, year.confidence), (true, "notice", Confidence::Verified));
    let year = calendar.year(2027);
    assert_eq!((year.known, year.source, year.confidence), (false, "Act", Confidence::Unverified));
    assert_eq!(calendar.holiday(date(2026, 10, 3)), Some("Week"));
    assert_eq!(calendar.holiday(date(2026, 6, 1)), None);
    assert_eq!(calendar.works(date(2026, 10, 10)), Some(true));
    assert_eq!(calendar.works(date(2026, 5, 1)), Some(true)); // a published year is complete
    assert_eq!(calendar.works(date(2028, 5, 1)), Some(false)); // the estimate of another
}

#[test]
fn in_a_computed_calendar_a_year_adds_to_the_rules() {
    let calendar = parse(
        "weekend = ['sunday']\ncoverage = 'computed'\nrules = [{ on = '05-01', name = 'May' }]\n\
         [year.2026]\npublished = true\noff = ['2026-06-15 Once']\nworking = ['2026-06-14']\n\
         [year.2027]\npublished = false\n",
    );
    let calendar = calendar.unwrap();
    let works = |day: Date| calendar.works(day).unwrap();
    assert!(!works(date(2026, 5, 1)) && !works(date(2026, 6, 15)) && works(date(2026, 6, 14)));
    assert!(works(date(2026, 6, 13)) && calendar.year(2090).known && !calendar.year(2027).known);
}

#[test]
fn a_fault_names_the_file_and_the_reason() {
    let fault = Calendar::parse(
        "xx.toml",
        &format!("{HEAD}{LISTED}[year.2026]\npublished = true\noff = ['2026-02-31']"),
    );
    let shown = fault.unwrap_err().to_string();
    assert!(shown.starts_with("`xx.toml`: `2026-02-31` is not a date that exists"), "{shown}");
}

#[test]
fn dates_that_contradict_each_other_are_refused() {
    let day = date(2026, 10, 10); // a Saturday
    assert_eq!(flaw("off = ['2026-10-10']\nworking = ['2026-10-10']"), Flaw::OffAndWorking(day));
    assert_eq!(flaw("working = ['2026-10-09']"), Flaw::NotOfTheWeekend(date(2026, 10, 9)));
    assert_eq!(flaw("off = ['2026-10-10', '2026-10-10']"), Flaw::Twice(day));
    assert_eq!(flaw("off = ['2026-10-09..2026-10-10', '2026-10-10..2026-10-11']"), Flaw::Twice(day));
    assert_eq!(flaw("working = ['2026-10-10', '2026-10-10']"), Flaw::Twice(day));
    assert_eq!(flaw("off = ['2027-01-01']"), Flaw::OutsideYear { day: date(2027, 1, 1), year: 2026 });
    assert_eq!(flaw("working = ['2025-10-11']"), Flaw::OutsideYear { day: date(2025, 10, 11), year: 2026 });
    assert_eq!(
        flaw("off = ['2026-12-31..2027-01-01']"),
        Flaw::OutsideYear { day: date(2027, 1, 1), year: 2026 }
    );
}

#[test]
fn dates_that_do_not_exist_are_refused() {
    for bad in [
        "2026-02-31",
        "2026-02-29",
        "2026-2-1",
        "20260201",
        "2026-10-07..2026-10-01",
        "2026-10-01...2026-10-02",
        "",
        "2026-10-01T00",
        "2026-01-01..2028-01-01",
    ] {
        assert_eq!(flaw(&format!("off = ['{bad}']")), Flaw::Date(bad.to_owned()));
    }
}

#[test]
fn a_holiday_by_rule_is_not_worked() {
    let fault = parse(
        "weekend = ['saturday', 'sunday']\ncoverage = 'computed'\nrules = [{ on = '10-10', name = 'Day' }]\n\
         [year.2026]\npublished = true\nworking = ['2026-10-10']\n",
    );
    let day = date(2026, 10, 10);
    assert_eq!(fault.unwrap_err().flaw, Flaw::HolidayWorks { day, name: "Day".to_owned() });
    let fault = parse(&format!(
        "make_up_days = 'never'\n{LISTED}[year.2026]\npublished = true\nworking = ['2026-10-10']\n"
    ));
    assert_eq!(fault.unwrap_err().flaw, Flaw::NoMakeUp(day));
}

#[test]
fn unknown_keys_and_words_are_refused_with_their_line() {
    let form = |rest: &str| match parse(rest).unwrap_err().flaw {
        Flaw::Form { line, message } => (line, message),
        flaw => panic!("{flaw}"),
    };
    let (line, message) = form(&format!("{LISTED}holidays = []\n"));
    assert!(line == 7 && message.contains("unknown field `holidays`"), "{line} {message}");
    assert!(
        form(&format!("{LISTED}[year.2026]\npublished = true\nextra = 1\n"))
            .1
            .contains("unknown field `extra`")
    );
    assert!(form(&format!("{LISTED}[year.2026]\noff = []\n")).1.contains("missing field `published`"));
    assert!(form(&format!("{LISTED}rules = [{{ on = '01-01' }}]\n")).1.contains("missing field `name`"));
    assert!(
        form(&format!("{LISTED}rules = [{{ on = '01-01', name = 'x', on_weekend = 'later' }}]\n"))
            .1
            .contains("later")
    );
    assert!(form("weekend = ['sunday']\ncoverage = 'guessed'\n").1.contains("guessed"));
    assert_eq!(form(&format!("{LISTED}[year.2026]\npublished = true\n[year.2026]\npublished = true\n")).0, 9);
}

#[test]
fn other_nonsense_is_refused() {
    let flaw_of = |rest: &str| parse(rest).unwrap_err().flaw;
    for weekend in [
        "'saturday', 'saturday'",
        "'Saturday'",
        "'sat'",
        "'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'",
    ] {
        assert_eq!(flaw_of(&format!("weekend = [{weekend}]\ncoverage = 'listed'\n")), Flaw::Weekend);
    }
    for year in ["1999", "2150", "26", "02026", "next"] {
        let rest = format!("{LISTED}[year.{year}]\npublished = true\n");
        assert_eq!(flaw_of(&rest), Flaw::Year(year.to_owned()));
    }
    let rule =
        |on: &str, more: &str| flaw_of(&format!("{LISTED}rules = [{{ on = '{on}', name = 'x'{more} }}]\n"));
    assert_eq!(rule("02-31", ""), Flaw::Rule { on: "02-31".to_owned(), fault: RuleFault::NoSuchDay });
    assert_eq!(rule("someday", ""), Flaw::Rule { on: "someday".to_owned(), fault: RuleFault::Form });
    let backwards = rule("05-01", ", from = 2027, until = 2026");
    assert_eq!(backwards, Flaw::Rule { on: "05-01".to_owned(), fault: RuleFault::NoYears });
    assert_eq!(
        flaw_of(&format!("{LISTED}rules = [{{ on = '05-01', name = ' ' }}]\n")),
        Flaw::Empty("name of a rule")
    );
    let text = format!("{HEAD}{LISTED}");
    assert_eq!(Calendar::parse("yy.toml", &text).unwrap_err().flaw, Flaw::Id("xx".to_owned()));
    let empty = text.replace("'Act'", "''");
    assert_eq!(Calendar::parse("xx.toml", &empty).unwrap_err().flaw, Flaw::Empty("source"));
}
