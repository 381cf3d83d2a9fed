//! Customers who do not exist: English and Chinese ones, the same for the same seed.

use fake::Fake;
use fake::faker::address::raw::{BuildingNumber, CityName, StateAbbr, StreetName};
use fake::faker::name::raw::{FirstName, LastName};
use fake::locales::{EN, ZH_CN};
use fake::rand::rngs::StdRng;
use fake::rand::seq::IndexedRandom;
use fake::rand::{RngExt, SeedableRng};
use serde_json::{Value as Json, json};

use super::paper::Language;
use crate::ground::clock::{DAY, instant};

/// A customer with an order.
#[derive(Debug, Clone)]
pub(super) struct Customer {
    /// The shop's own id of the customer.
    pub(super) id: String,
    /// The shop's own id of the order.
    pub(super) order: String,
    pub(super) name: String,
    pub(super) email: String,
    /// As a customer types it.
    pub(super) phone: String,
    pub(super) address: String,
    items: String,
    amount: String,
    payment: String,
    /// When the order was placed, µs UTC.
    placed: i64,
}

/// Cities with a district, as addresses name them.
const CITIES: [&str; 12] = [
    "上海市徐汇区",
    "上海市静安区",
    "北京市海淀区",
    "杭州市西湖区",
    "南京市鼓楼区",
    "苏州市姑苏区",
    "广州市天河区",
    "深圳市南山区",
    "成都市武侯区",
    "武汉市江汉区",
    "厦门市思明区",
    "西安市雁塔区",
];
/// Streets that most cities have.
const STREETS: [&str; 12] = [
    "人民路",
    "中山路",
    "解放路",
    "建设路",
    "和平路",
    "文化路",
    "长江路",
    "黄河路",
    "青年路",
    "新华路",
    "北京路",
    "延安路",
];
/// American area codes.
const AREAS: [u16; 12] = [415, 212, 312, 206, 617, 503, 303, 512, 404, 305, 215, 702];
/// How Chinese mobile numbers begin.
const PREFIXES: [&str; 8] = ["138", "139", "135", "136", "150", "159", "186", "188"];
/// What the shop sells, in both languages.
pub(super) const GOODS: [(&str, &str, u32); 8] = [
    ("Longjing green tea, 250 g", "龙井茶 250 克", 168),
    ("Dianhong black tea, 200 g", "滇红茶 200 克", 96),
    ("Tieguanyin oolong, 250 g", "铁观音 250 克", 138),
    ("Aged pu'er cake, 357 g", "陈年普洱茶饼 357 克", 298),
    ("White tea, 100 g", "白毫银针 100 克", 220),
    ("Gaiwan, celadon", "青瓷盖碗", 118),
    ("Teapot, Yixing clay", "宜兴紫砂壶", 480),
    ("Six cups, porcelain", "白瓷品茗杯 六只", 156),
];

/// Customers, one language and the other in turn; the first speaks the language of the walk-through.
///
/// Takes: how many, a seed, the language of the first, and now (µs UTC).
pub(super) fn customers(count: usize, seed: u64, first: Language, now: i64) -> Vec<Customer> {
    let random = &mut StdRng::seed_from_u64(seed);
    (0..count)
        .map(|position| customer(position, if position % 2 == 0 { first } else { other(first) }, now, random))
        .collect()
}

fn other(language: Language) -> Language {
    if language == Language::En { Language::Zh } else { Language::En }
}

fn customer(position: usize, language: Language, now: i64, random: &mut StdRng) -> Customer {
    let number = 1_001 + position;
    let (english, chinese, price) = *GOODS.choose(random).unwrap_or(&GOODS[0]);
    let count: u32 = random.random_range(1..4);
    let (name, login, phone, address) = match language {
        Language::En => english_person(position, random),
        Language::Zh => chinese_person(random),
    };
    Customer {
        id: format!("C-{number}"),
        order: format!("HH-{number}"),
        name,
        // Names that nobody can own: RFC 2606.
        email: format!("{login}{number}@mail.example"),
        phone,
        address,
        items: match language {
            Language::En => format!("{count} × {english}"),
            Language::Zh => format!("{chinese} × {count}"),
        },
        amount: format!("{}.00", price * count),
        payment: format!("HP{:014}", random.random_range(0..100_000_000_000_000_u64)),
        placed: now - DAY * random.random_range(1..20_i64),
    }
}

fn english_person(position: usize, random: &mut StdRng) -> (String, String, String, String) {
    let first: String = FirstName(EN).fake_with_rng(random);
    let last: String = LastName(EN).fake_with_rng(random);
    let login: String = first.chars().filter(char::is_ascii_alphabetic).collect();
    // 555-0100 to 555-0199 are kept for stories, in every area.
    let pair = position / 2;
    let phone =
        format!("+1 ({}) 555-01{:02}", AREAS.get(pair / 100 % AREAS.len()).unwrap_or(&AREAS[0]), pair % 100);
    let house: String = BuildingNumber(EN).fake_with_rng(random);
    let street: String = StreetName(EN).fake_with_rng(random);
    let city: String = CityName(EN).fake_with_rng(random);
    let state: String = StateAbbr(EN).fake_with_rng(random);
    let zip = random.random_range(10_000..99_999);
    (
        format!("{first} {last}"),
        login.to_lowercase(),
        phone,
        format!("{house} {street}, {city}, {state} {zip}"),
    )
}

fn chinese_person(random: &mut StdRng) -> (String, String, String, String) {
    let first: String = FirstName(ZH_CN).fake_with_rng(random);
    let last: String = LastName(ZH_CN).fake_with_rng(random);
    let prefix = PREFIXES.choose(random).unwrap_or(&PREFIXES[0]);
    let phone =
        format!("{prefix} {:04} {:04}", random.random_range(0..10_000), random.random_range(0..10_000));
    let city = CITIES.choose(random).unwrap_or(&CITIES[0]);
    let street = STREETS.choose(random).unwrap_or(&STREETS[0]);
    let (house, room) =
        (random.random_range(1..900), random.random_range(1..28) * 100 + random.random_range(1..5));
    (format!("{last}{first}"), String::from("tea"), phone, format!("{city}{street}{house}号{room}室"))
}

impl Customer {
    /// The customer's record.
    pub(super) fn customer_record(&self) -> Json {
        json!({
            "kind": "customer", "external_id": self.id,
            "fields": { "name": self.name, "email": self.email, "phone": self.phone },
            "events": { "active": instant(self.placed) },
        })
    }

    /// The order's record.
    pub(super) fn order_record(&self) -> Json {
        json!({
            "kind": "order", "external_id": self.order, "subject": { "external_id": self.id },
            "fields": {
                "recipient_name": self.name, "phone": self.phone, "address": self.address, "items": self.items,
                "amount": self.amount, "payment_reference": self.payment,
            },
            "events": { "placed": instant(self.placed) },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_people_and_another_makes_others() {
        let names =
            |seed| customers(40, seed, Language::En, 0).into_iter().map(|one| one.name).collect::<Vec<_>>();
        assert_eq!(names(7), names(7));
        assert_ne!(names(7), names(8));
        assert!(names(7)[0].is_ascii() && !names(7)[1].is_ascii());
    }
}
