//! What the clocks have to give: examples of laws, a comparison with other people's calendars, and what always holds.

mod china;
mod examples;
mod flaws;
mod others;
mod properties;

use std::sync::LazyLock;

use jiff::tz::TimeZone;

use super::*;

static SHIPPED: LazyLock<Calendars> = LazyLock::new(|| shipped_calendars().unwrap());

fn calendar(id: &str) -> &'static Calendar {
    SHIPPED.find(id).unwrap()
}

/// A zone that lives as long as the tests; there are few.
fn zone(name: &str) -> &'static TimeZone {
    Box::leak(Box::new(TimeZone::get(name).unwrap()))
}

fn term(text: &str) -> Term {
    text.parse().unwrap()
}

/// The usual counting: the day of the event is not counted, a last day off moves to the next working day.
const USUAL: Counting = Counting { first_day: FirstDay::Excluded, last_day: LastDay::NextWorkingDay };

/// No last day is moved.
const PLAIN: Counting = Counting { first_day: FirstDay::Excluded, last_day: LastDay::AsItFalls };

fn clock(id: &str, zone_name: &str, counting: Counting) -> Clock<'static> {
    Clock { calendar: calendar(id), zone: zone(zone_name), counting }
}
