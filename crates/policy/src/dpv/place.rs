//! Places as terms of DPV.

use super::term::Term;
use crate::text::Place;

/// The place of that code: a state of the USA or a province of Canada where there is one, a country, the Union.
///
/// Gives the country for a state that DPV does not have (`us-zz` is written like one and is none).
pub fn location(place: &Place) -> Term {
    let code = place.as_str();
    let regions = match place.country() {
        "us" => STATES,
        "ca" => PROVINCES,
        _ => "",
    };
    let is_region =
        code.split_once('-').is_some_and(|(_, region)| regions.split(' ').any(|known| known == region));
    Term::place(if is_region { code } else { place.country() }.to_ascii_uppercase())
}

/// Does the GDPR apply to those who are there: the Union, its members, and Iceland, Liechtenstein and Norway?
pub(super) fn is_under_gdpr(place: &Place) -> bool {
    place.country() == "eu" || EEA.split(' ').any(|country| country == place.country())
}

/// SOURCE: Treaty on European Union, Art. 52, as of 2020-02-01; EEA Joint Committee Decision 154/2018 (the GDPR in the EEA).
/// From knowledge: unverified.
const EEA: &str = "at be bg cy cz de dk ee es fi fr gr hr hu ie is it li lt lu lv mt nl no pl pt ro se si sk";

/// SOURCE: DPV 2.2, module `loc` (ISO 3166-2:US).
const STATES: &str = "ak al ar as az ca co ct dc de fl ga gu hi ia id il in ks ky la ma md me mi mn mo mp ms mt nc nd ne nh nj \
    nm nv ny oh ok or pa pr ri sc sd tn tx um ut va vi vt wa wi wv wy";
/// SOURCE: DPV 2.2, module `loc` (ISO 3166-2:CA).
const PROVINCES: &str = "ab bc mb nb nl ns nt nu on pe qc sk yt";
