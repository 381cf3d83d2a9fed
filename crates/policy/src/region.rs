//! Regions and how their telephone numbers are written at home.
//!
//! SOURCE: ITU-T E.164 country codes; national trunk prefixes and the lengths of national numbers from the ITU's
//! national numbering plans, from knowledge. Lengths are generous: a refused number is a lost customer, and a
//! wrong one is found out by the courier.

/// A region whose calling code we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region(&'static Plan);

/// How numbers of one region are written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    code: &'static str,
    calling: &'static str,
    trunk: &'static str,
    shortest: usize,
    longest: usize,
}

const fn plan(
    code: &'static str,
    calling: &'static str,
    trunk: &'static str,
    shortest: usize,
    longest: usize,
) -> Plan {
    Plan { code, calling, trunk, shortest, longest }
}

static PLANS: [Plan; 49] = [
    plan("at", "43", "0", 4, 13),
    plan("au", "61", "0", 9, 9),
    plan("be", "32", "0", 8, 9),
    plan("bg", "359", "0", 7, 9),
    plan("br", "55", "0", 10, 11),
    plan("ca", "1", "1", 10, 10),
    plan("ch", "41", "0", 9, 9),
    plan("cn", "86", "0", 10, 11),
    plan("cy", "357", "", 8, 8),
    plan("cz", "420", "", 9, 9),
    plan("de", "49", "0", 6, 12),
    plan("dk", "45", "", 8, 8),
    plan("ee", "372", "", 7, 8),
    plan("es", "34", "", 9, 9),
    plan("fi", "358", "0", 6, 12),
    plan("fr", "33", "0", 9, 9),
    plan("gb", "44", "0", 9, 10),
    plan("gr", "30", "", 10, 10),
    plan("hk", "852", "", 8, 8),
    plan("hr", "385", "0", 8, 9),
    plan("hu", "36", "06", 8, 9),
    plan("id", "62", "0", 8, 12),
    plan("ie", "353", "0", 7, 9),
    plan("in", "91", "0", 10, 10),
    plan("is", "354", "", 7, 9),
    // Italy keeps the leading 0 of its landlines abroad too: there is no trunk prefix to take off.
    plan("it", "39", "", 6, 12),
    plan("jp", "81", "0", 9, 10),
    plan("kr", "82", "0", 8, 11),
    plan("lt", "370", "0", 8, 8),
    plan("lu", "352", "", 4, 11),
    plan("lv", "371", "", 8, 8),
    plan("mo", "853", "", 8, 8),
    plan("mt", "356", "", 8, 8),
    plan("my", "60", "0", 8, 10),
    plan("nl", "31", "0", 9, 9),
    plan("no", "47", "", 8, 8),
    plan("nz", "64", "0", 8, 10),
    plan("ph", "63", "0", 8, 10),
    plan("pl", "48", "", 9, 9),
    plan("pt", "351", "", 9, 9),
    plan("ro", "40", "0", 9, 9),
    plan("se", "46", "0", 7, 10),
    plan("sg", "65", "", 8, 8),
    plan("si", "386", "0", 8, 8),
    plan("sk", "421", "0", 9, 9),
    plan("th", "66", "0", 8, 9),
    plan("tw", "886", "0", 8, 9),
    plan("us", "1", "1", 10, 10),
    plan("vn", "84", "0", 9, 10),
];

impl Region {
    /// The region of that ISO 3166-1 code; `None` when its calling code is not in our table.
    pub fn find(code: &str) -> Option<Self> {
        PLANS.iter().find(|plan| plan.code == code).map(Self)
    }

    /// Every region, by code.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        PLANS.iter().map(Self)
    }

    /// The ISO 3166-1 code, lower case.
    pub fn code(self) -> &'static str {
        self.0.code
    }

    /// The calling code, without `+`.
    pub fn calling_code(self) -> &'static str {
        self.0.calling
    }

    /// The digits dialled before a national number inside the region; may be empty.
    pub fn trunk(self) -> &'static str {
        self.0.trunk
    }

    /// How many digits a national number may have, without the trunk prefix: from, to.
    pub fn digits(self) -> (usize, usize) {
        (self.0.shortest, self.0.longest)
    }

    /// Can a national number of this region have so many digits?
    pub(crate) fn takes(self, digits: usize) -> bool {
        (self.0.shortest..=self.0.longest).contains(&digits)
    }

    /// The region whose calling code these digits begin with, and the national number that follows.
    pub(crate) fn of_international(digits: &str) -> Option<(Self, &str)> {
        // No calling code is the beginning of another (E.164), so the first that fits is the only one.
        PLANS.iter().find_map(|plan| digits.strip_prefix(plan.calling).map(|national| (Self(plan), national)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Place;

    #[test]
    fn regions_are_sorted_countries_with_lengths_that_fit_e164() {
        for (plan, next) in PLANS.iter().zip(PLANS.iter().skip(1)) {
            assert!(plan.code < next.code, "{} before {}", plan.code, next.code);
        }
        for plan in &PLANS {
            assert!(Place::parse(plan.code).is_some(), "{}", plan.code);
            assert!(
                plan.shortest <= plan.longest && plan.calling.len() + plan.longest <= 15,
                "{}",
                plan.code
            );
        }
    }

    #[test]
    fn no_calling_code_begins_another() {
        for a in &PLANS {
            for b in &PLANS {
                assert!(a.calling == b.calling || !b.calling.starts_with(a.calling), "{} {}", a.code, b.code);
            }
        }
    }
}
