//! Deadlines of laws, with the day on which each falls.

use jiff::Timestamp;
use jiff::civil::{Date, date};

use super::*;

const INCLUDED: Counting = Counting { first_day: FirstDay::Included, last_day: LastDay::AsItFalls };

fn cn() -> Clock<'static> {
    clock("cn", "Asia/Shanghai", USUAL)
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The due day, which rests on nothing unknown.
fn firm(due: Result<Due, ClockFault>) -> Date {
    let due = due.unwrap();
    assert_eq!(due.provisional, None);
    due.date()
}

// --- Europe ----------------------------------------------------------------------------------------------------------

#[test]
fn a_month_from_31_january_ends_on_the_first_working_day_after_february() {
    // GDPR 12(3), Reg. 1182/71: 28 February 2026 is a Saturday.
    let clock = clock("eu-de", "Europe/Berlin", USUAL);
    assert_eq!(firm(clock.due(date(2026, 1, 31), term("1mo"))), date(2026, 3, 2));
}

#[test]
fn an_extended_month_counts_three_months_from_receipt() {
    // GDPR 12(3): not two months from 2 March.
    let clock = clock("eu-de", "Europe/Berlin", USUAL);
    let due = clock.due_extended(date(2026, 1, 31), term("1mo"), &[term("2mo")]);
    assert_eq!(firm(due), date(2026, 4, 30));
}

#[test]
fn without_a_member_state_a_due_is_provisional_and_safe() {
    let clock = clock("eu", "Europe/Brussels", USUAL);
    let due = clock.due(date(2026, 1, 31), term("1mo")).unwrap();
    assert_eq!(due.date(), date(2026, 3, 2));
    let provisional = due.provisional.unwrap();
    assert_eq!((provisional.calendar.as_str(), provisional.year), ("eu", 2026));
    assert_eq!(provisional.safe, date(2026, 3, 2)); // a weekend is one everywhere
    // 25 December is off in all 27, but the safe day takes no holiday for granted.
    let due = clock.due(date(2026, 11, 25), term("1mo")).unwrap();
    assert_eq!((due.date(), due.safe_date()), (date(2026, 12, 28), date(2026, 12, 25)));
}

#[test]
fn seventy_two_hours_are_elapsed_when_the_clocks_change() {
    let local =
        |zone, start: &str| clock("eu-de", zone, USUAL).due(instant(start), term("72h")).unwrap().to_string();
    // The nights of 29 March (an hour less) and 25 October 2026 (an hour more).
    assert_eq!(local("Europe/Berlin", "2026-03-27T10:00:00+01:00"), "2026-03-30T11:00:00+02:00");
    assert_eq!(local("Europe/Berlin", "2026-10-23T10:00:00+02:00"), "2026-10-26T09:00:00+01:00");
    // The nights of 8 March and 1 November 2026.
    assert_eq!(local("America/Los_Angeles", "2026-03-06T10:00:00-08:00"), "2026-03-09T11:00:00-07:00");
    assert_eq!(local("America/Los_Angeles", "2026-10-30T10:00:00-07:00"), "2026-11-02T09:00:00-08:00");
}

#[test]
fn thirty_days_that_begin_with_the_complaint_count_its_day() {
    // DPA 2018 164A: received on Monday 2 November 2026.
    let strict = clock("uk", "Europe/London", INCLUDED).due(date(2026, 11, 2), term("30d"));
    assert_eq!(firm(strict), date(2026, 12, 1));
    let other_reading = clock("uk", "Europe/London", PLAIN).due(date(2026, 11, 2), term("30d"));
    assert_eq!(firm(other_reading), date(2026, 12, 2));
}

#[test]
fn a_month_that_begins_with_a_day_ends_with_the_day_before_its_like() {
    let clock = clock("uk", "Europe/London", INCLUDED);
    assert_eq!(firm(clock.due(date(2026, 11, 2), term("1mo"))), date(2026, 12, 1));
    assert_eq!(firm(clock.due(date(2026, 3, 1), term("1mo"))), date(2026, 3, 31));
    assert_eq!(firm(clock.due(date(2026, 1, 31), term("1mo"))), date(2026, 2, 28));
    assert_eq!(firm(clock.due(date(2026, 11, 2), term("2w"))), date(2026, 11, 15));
}

#[test]
fn days_of_a_pause_do_not_count() {
    // DPA 2018 54(3C): neither the day of the question nor that of the answer. A month from 2 March 2026 ends on 2 April; the
    // six days from 10 to 15 March put that off to 8 April.
    let clock = clock("uk", "Europe/London", USUAL);
    let pause = Pause { from: date(2026, 3, 10).into(), until: date(2026, 3, 15).into() };
    let due = |pauses: &[Pause]| firm(clock.due_paused(date(2026, 3, 2), term("1mo"), &[], pauses));
    assert_eq!(due(&[]), date(2026, 4, 2));
    assert_eq!(due(&[pause]), date(2026, 4, 8));
    let question = Pause { from: date(2026, 3, 10).into(), until: date(2026, 3, 10).into() };
    assert_eq!(due(&[question]), date(2026, 4, 7)); // 3 April is Good Friday, 6 April Easter Monday
    assert_eq!(due(&[question, pause, pause]), due(&[pause])); // they overlap
    let early = Pause { from: date(2026, 2, 1).into(), until: date(2026, 3, 2).into() };
    assert_eq!(due(&[early]), due(&[])); // the day of receipt is not counted anyway
    let late = Pause { from: date(2026, 4, 3).into(), until: date(2026, 5, 3).into() };
    assert_eq!(due(&[late]), due(&[]));
    let reached = Pause { from: date(2026, 4, 8).into(), until: date(2026, 4, 9).into() };
    assert_eq!(due(&[reached, pause]), date(2026, 4, 10)); // only the first pause brings it into the second
}

#[test]
fn hours_of_a_pause_do_not_count() {
    let clock = clock("uk", "Europe/London", USUAL);
    let pause =
        Pause { from: instant("2026-03-03T10:00Z").into(), until: instant("2026-03-03T12:30Z").into() };
    let start = instant("2026-03-02T09:00Z");
    let due = clock.due_paused(start, term("72h"), &[], &[pause]).unwrap();
    assert_eq!(due.to_string(), "2026-03-05T11:30:00+00:00");
    let bare = Pause { from: date(2026, 3, 3).into(), until: date(2026, 3, 4).into() };
    let fault = clock.due_paused(start, term("72h"), &[], &[bare]).unwrap_err();
    assert_eq!(fault, ClockFault::InstantNeeded(term("72h")));
    let backwards = Pause { from: pause.until, until: pause.from };
    assert_eq!(clock.due_paused(start, term("72h"), &[], &[backwards]), Err(ClockFault::PauseBackwards));
}

// --- China -----------------------------------------------------------------------------------------------------------

#[test]
fn fifteen_working_days_reach_over_the_spring_festival() {
    // 14 and 28 February 2026 are Saturdays that are worked; 15 to 23 February are off.
    assert_eq!(firm(cn().due(date(2026, 2, 10), term("15wd"))), date(2026, 3, 9));
}

#[test]
fn make_up_saturdays_and_sundays_are_working_days() {
    assert_eq!(firm(cn().due(date(2026, 2, 13), term("1wd"))), date(2026, 2, 14));
    assert_eq!(firm(cn().due(date(2026, 9, 19), term("1wd"))), date(2026, 9, 20));
    assert_eq!(firm(cn().due(date(2026, 2, 14), term("1wd"))), date(2026, 2, 24));
    assert_eq!(firm(cn().due(date(2026, 1, 27), term("1mo"))), date(2026, 2, 27));
    assert_eq!(firm(cn().due(date(2026, 1, 28), term("1mo"))), date(2026, 2, 28)); // a worked Saturday
}

#[test]
fn a_last_day_in_the_national_holiday_moves_behind_it() {
    // 1 to 7 October 2026 are off; Saturday the 10th is worked.
    assert_eq!(firm(cn().due(date(2026, 9, 1), term("30d"))), date(2026, 10, 8));
    assert_eq!(firm(cn().due(date(2026, 9, 30), term("3wd"))), date(2026, 10, 10));
}

#[test]
fn four_hours_run_through_holidays() {
    let due = cn().due(instant("2026-03-02T09:00:00+08:00"), term("4h")).unwrap();
    assert_eq!(due.to_string(), "2026-03-02T13:00:00+08:00");
    assert_eq!(due.instant(zone("Asia/Shanghai")), instant("2026-03-02T13:00:00+08:00"));
    let due = cn().due(instant("2026-02-17T23:30:00+08:00"), term("4h")).unwrap();
    assert_eq!(due.to_string(), "2026-02-18T03:30:00+08:00");
}

#[test]
fn hours_do_not_run_from_a_bare_date() {
    let fault = cn().due(date(2026, 3, 2), term("4h")).unwrap_err();
    assert!(fault.to_string().contains("`4h` is a term in hours: it needs an instant"), "{fault}");
}

#[test]
fn days_run_from_the_local_date_of_an_instant() {
    // 20:00 on 1 March in UTC is 2 March in Shanghai.
    assert_eq!(firm(cn().due(instant("2026-03-01T20:00:00Z"), term("7d"))), date(2026, 3, 9));
}

#[test]
fn years_end_on_their_day() {
    let cn = clock("cn", "Asia/Shanghai", PLAIN);
    assert_eq!(firm(cn.due(date(2025, 5, 20), term("2y"))), date(2027, 5, 20));
    assert_eq!(firm(cn.due(date(2024, 9, 2), term("3y"))), date(2027, 9, 2));
    assert_eq!(firm(cn.due(date(2024, 2, 29), term("1y"))), date(2025, 2, 28));
    assert_eq!(firm(cn.due(date(2024, 2, 29), term("4y"))), date(2028, 2, 29));
}

#[test]
fn a_due_in_a_year_without_a_notice_is_provisional() {
    // 30 working days from 1 December 2026: 22 of December, the rest in 2027, of which only the statutory days are known.
    let due = cn().due(date(2026, 12, 1), term("30wd")).unwrap();
    assert_eq!(due.date(), date(2027, 1, 13));
    let provisional = due.provisional.clone().unwrap();
    assert_eq!((provisional.calendar.as_str(), provisional.year), ("cn", 2027));
    assert_eq!(provisional.safe, date(2027, 1, 8)); // were every day of 2027 worked
    // The last one of 2026 is firm.
    assert_eq!(firm(cn().due(date(2026, 12, 1), term("22wd"))), date(2026, 12, 31));
}

#[test]
fn a_last_day_that_may_move_in_an_unknown_year_is_safe_where_it_falls() {
    let due = cn().due(date(2026, 12, 2), term("1mo")).unwrap(); // Saturday 2 January 2027
    assert_eq!((due.date(), due.safe_date()), (date(2027, 1, 4), date(2027, 1, 2)));
    let due = cn().due(date(2027, 1, 7), term("1mo")).unwrap(); // Sunday, in the Spring Festival
    assert_eq!((due.date(), due.safe_date()), (date(2027, 2, 9), date(2027, 2, 7)));
    // A last day that is not moved rests on no calendar.
    assert_eq!(
        firm(clock("cn", "Asia/Shanghai", PLAIN).due(date(2026, 12, 2), term("1mo"))),
        date(2027, 1, 2)
    );
}

#[test]
fn the_working_day_before_is_safe_when_no_holiday_can_be_longer() {
    let counting = Counting { first_day: FirstDay::Excluded, last_day: LastDay::PreviousWorkingDay };
    let cn = clock("cn", "Asia/Shanghai", counting);
    assert_eq!(firm(cn.due(date(2026, 9, 6), term("1mo"))), date(2026, 9, 30));
    let due = cn.due(date(2026, 12, 3), term("1mo")).unwrap(); // Sunday 3 January 2027
    assert_eq!((due.date(), due.safe_date()), (date(2026, 12, 31), date(2026, 12, 31)));
    let due = cn.due(date(2027, 5, 1), term("1mo")).unwrap();
    assert_eq!((due.date(), due.safe_date()), (date(2027, 6, 1), date(2027, 5, 17)));
}

#[test]
fn a_renewal_is_applied_for_within_sixty_working_days_before_expiry() {
    // CAC Order 16 Art. 9, for a result of 2023-09-01 that ends on 2026-09-01.
    let window = cn().before(term("60wd"), date(2026, 9, 1)).unwrap();
    assert_eq!((window.first, window.last, window.provisional), (date(2026, 6, 8), date(2026, 8, 31), None));
    // One that ends in 2027 waits for the notice; on the safe day, the window is open whatever it says.
    let window = cn().before(term("60wd"), date(2027, 9, 2)).unwrap();
    assert_eq!(window.first, date(2027, 6, 9).tomorrow().unwrap()); // 9 June is the Dragon Boat Festival
    assert_eq!(window.provisional.unwrap().safe, date(2027, 7, 4));
}

#[test]
fn months_before_expiry_are_counted_back() {
    // CAC Order 20: six months before a certificate ends.
    assert_eq!(cn().before(term("6mo"), date(2027, 9, 2)).unwrap().first, date(2027, 3, 2));
    assert_eq!(cn().before(term("6mo"), date(2027, 8, 31)).unwrap().first, date(2027, 2, 28));
    assert_eq!(cn().before(term("2w"), date(2026, 5, 15)).unwrap().first, date(2026, 5, 1));
    assert_eq!(cn().before(term("4h"), date(2026, 5, 15)), Err(ClockFault::InstantNeeded(term("4h"))));
}

#[test]
fn a_yearly_report_is_due_on_its_day_of_the_next_year() {
    let cn = clock("cn", "Asia/Shanghai", PLAIN);
    let january: MonthDay = "01-31".parse().unwrap();
    assert_eq!(firm(cn.due_in_next_year(january, date(2026, 7, 1))), date(2027, 1, 31));
    assert_eq!(firm(cn.due_yearly(january, date(2026, 1, 30))), date(2026, 1, 31));
    assert_eq!(firm(cn.due_yearly(january, date(2026, 1, 31))), date(2027, 1, 31));
    let leap: MonthDay = "02-29".parse().unwrap();
    assert_eq!(firm(cn.due_yearly(leap, date(2026, 2, 1))), date(2026, 2, 28));
    assert_eq!(firm(cn.due_yearly(leap, date(2028, 2, 28))), date(2028, 2, 29));
}

#[test]
fn a_yearly_day_that_was_moved_is_still_to_come() {
    // 31 January 2026 is a Saturday; on Sunday the report is due on Monday, not next year.
    let january: MonthDay = "01-31".parse().unwrap();
    assert_eq!(firm(cn().due_yearly(january, date(2026, 2, 1))), date(2026, 2, 2));
    // 31 December 2028 is a Sunday; on New Year's Day the one of the year before is still to come.
    let new_years_eve: MonthDay = "12-31".parse().unwrap();
    let berlin = clock("eu-de", "Europe/Berlin", USUAL);
    assert_eq!(firm(berlin.due_yearly(new_years_eve, date(2029, 1, 1))), date(2029, 1, 2));
    assert!(
        ["1-31", "02-30", "00-10", "13-01", "0131", "", "01-31x"]
            .iter()
            .all(|bad| bad.parse::<MonthDay>().is_err())
    );
}

#[test]
fn an_audit_every_two_years_counts_from_the_first() {
    let cn = clock("cn", "Asia/Shanghai", PLAIN);
    let next = |day| firm(cn.due_every(term("2y"), date(2025, 5, 20), day));
    assert_eq!(next(date(2025, 5, 20)), date(2027, 5, 20));
    assert_eq!(next(date(2027, 5, 19)), date(2027, 5, 20));
    assert_eq!(next(date(2027, 5, 20)), date(2029, 5, 20));
    let months = |day| firm(cn.due_every(term("1mo"), date(2026, 1, 31), day));
    assert_eq!(months(date(2026, 2, 1)), date(2026, 2, 28));
    assert_eq!(months(date(2026, 2, 28)), date(2026, 3, 31));
    assert!(matches!(
        cn.due_every(term("4h"), date(2026, 1, 1), date(2026, 1, 1)),
        Err(ClockFault::InstantNeeded(_))
    ));
}

// --- Elsewhere -------------------------------------------------------------------------------------------------------

#[test]
fn california_confirms_in_ten_business_days_and_answers_in_45_days() {
    let clock = clock("us-ca", "America/Los_Angeles", PLAIN);
    let received = date(2026, 3, 2);
    assert_eq!(firm(clock.due(received, term("10wd"))), date(2026, 3, 16));
    assert_eq!(firm(clock.due(received, term("45d"))), date(2026, 4, 16));
    assert_eq!(firm(clock.due_extended(received, term("45d"), &[term("45d")])), date(2026, 5, 31));
}

#[test]
fn a_broker_asks_the_platform_every_45_days() {
    let clock = clock("us-ca", "America/Los_Angeles", PLAIN);
    let next = |day| firm(clock.due_every(term("45d"), date(2026, 8, 1), day));
    assert_eq!(next(date(2026, 8, 1)), date(2026, 9, 15));
    assert_eq!(next(date(2026, 9, 15)), date(2026, 10, 30));
    assert_eq!(next(date(2026, 12, 31)), date(2027, 1, 28));
}

#[test]
fn malaysia_gives_21_days_and_14_more() {
    let clock = clock("my", "Asia/Kuala_Lumpur", PLAIN);
    assert_eq!(firm(clock.due(date(2026, 11, 2), term("21d"))), date(2026, 11, 23));
    assert_eq!(firm(clock.due_extended(date(2026, 11, 2), term("21d"), &[term("14d")])), date(2026, 12, 7));
    let mixed = clock.due_extended(date(2026, 11, 2), term("21d"), &[term("1mo")]);
    assert_eq!(mixed, Err(ClockFault::Extension(TermFault::UnitsDisagree(term("21d"), term("1mo")))));
}

#[test]
fn korea_gives_ten_days() {
    let clock = clock("kr", "Asia/Seoul", USUAL);
    assert_eq!(firm(clock.due(date(2026, 11, 2), term("10d"))), date(2026, 11, 12));
}

#[test]
fn japan_counts_the_day_of_knowledge_and_moves_off_the_new_year() {
    // Guideline 3-5-3-4: 60 days from 2 March are 30 April; 30 days from 1 December are 30 December, when offices are closed.
    let counting = Counting { first_day: FirstDay::Included, last_day: LastDay::NextWorkingDay };
    let clock = clock("jp", "Asia/Tokyo", counting);
    assert_eq!(firm(clock.due(date(2026, 3, 2), term("60d"))), date(2026, 4, 30));
    assert_eq!(firm(clock.due(date(2026, 12, 1), term("30d"))), date(2027, 1, 4));
}

#[test]
fn brazil_gives_three_business_days() {
    let clock = clock("br", "America/Sao_Paulo", USUAL);
    assert_eq!(firm(clock.due(date(2026, 11, 19), term("3wd"))), date(2026, 11, 25)); // the 20th is a holiday
}

#[test]
fn beyond_the_calendar_there_is_no_answer_but_for_days_that_are_not_moved() {
    let far = date(2149, 12, 1);
    assert!(matches!(cn().due(far, term("100wd")), Err(ClockFault::BeyondCalendar(_))));
    assert!(matches!(cn().due(far, term("1y")), Err(ClockFault::BeyondCalendar(_))));
    assert!(matches!(cn().before(term("1wd"), date(1999, 5, 1)), Err(ClockFault::BeyondCalendar(_))));
    assert_eq!(firm(clock("cn", "Asia/Shanghai", PLAIN).due(far, term("1y"))), date(2150, 12, 1));
    assert_eq!(clock("cn", "UTC", PLAIN).due(date(9999, 12, 1), term("1y")), Err(ClockFault::BeyondTime));
    assert_eq!(cn().due(Timestamp::MAX, term("1h")), Err(ClockFault::BeyondTime));
}

#[test]
fn a_holiday_has_its_name() {
    assert_eq!(calendar("cn").holiday(date(2026, 2, 20)), Some("春节"));
    assert_eq!(calendar("cn").holiday(date(2026, 2, 14)), None); // worked
    assert_eq!(calendar("eu-de").holiday(date(2026, 4, 6)), Some("Easter Monday"));
    assert_eq!(calendar("us").holiday(date(2027, 12, 31)), Some("New Year")); // of the year after
    assert_eq!(calendar("eu-de").holiday(date(2026, 4, 11)), None); // a Saturday
}
