//! Clocks and calendars: until when a law gives somebody time.
//!
//! A [`Term`] (`15wd`) runs from a [`Moment`] on a [`Clock`], which knows how its law counts ([`Counting`]), on which days
//! its place works ([`Calendar`]), and in which zone its days begin. It ends in a [`Due`]: the end of a local date, or, for
//! hours, an instant.
//!
//! What always holds:
//!
//! - Hours are elapsed time. No change of clocks, weekend or holiday moves their end.
//! - Days, weeks, months and years count local dates; only their last day may be moved, and only if the law says so.
//! - Whoever starts later is never due earlier.
//! - A result that rests on a year whose calendar is not published is [`Provisional`] and names a date that is right
//!   whatever will be published. Nothing is guessed in silence.
//!
//! Pure: no clock is read, no file, no state is kept.

mod calendar;
mod count;
mod days;
mod due;
mod easter;
mod extend;
mod read;
mod recur;
mod rule;
mod shipped;
mod term;
#[cfg(test)]
mod tests;

pub use calendar::{Calendar, CalendarFault, CalendarId, FIRST_YEAR, Flaw, LAST_YEAR, MakeUp, Names, Year};
pub use count::{Clock, ClockFault, Window};
pub use due::{By, Counting, Due, FirstDay, LastDay, Moment, Provisional};
pub use extend::Pause;
pub use recur::MonthDay;
pub use rule::RuleFault;
pub use shipped::{Calendars, shipped_calendars, shipped_file};
pub use term::{Term, TermFault, Unit};
