//! The policy as text, as a shop would want to keep it: sections with headings, short comments in both languages.
//!
//! INVARIANT: whatever was answered stands in the file inside of quotation marks, escaped, or as a word or a number that was parsed. The name in
//! the first comment has no line break: `known` refuses every control character.

use super::known::Known;
use super::plan::{Kind, Plan, Purpose, Recipient, Role, Use};
use super::said;
use crate::region::Region;
use crate::text::Place;
use crate::words::RecipientRole;
use jiff::civil::Date;
use rulebook::Text;
use std::fmt::Write;

/// Writes the policy.
pub(super) fn write(known: &Known, plan: &Plan, today: Date) -> String {
    let mut sheet = Sheet::default();
    head(known, &mut sheet);
    shop(known, plan, today, &mut sheet);
    sheet.heading(said("保存什么", "What is kept"));
    kinds(known, plan, &mut sheet);
    fields(plan, &mut sheet);
    sheet.heading(said("为什么、凭什么、多久", "Why, on what ground, for how long"));
    for purpose in &plan.purposes {
        self::purpose(purpose, plan, &mut sheet);
    }
    if !plan.recipients.is_empty() {
        sheet.heading(said("谁会收到", "Who gets it"));
    }
    for recipient in &plan.recipients {
        self::recipient(recipient, &mut sheet);
    }
    sheet.heading(said("店内谁可以用", "Who may use it inside the shop"));
    roles(plan, &mut sheet);
    sheet.text
}

/// Where the days of a seat end, and where its phone numbers belong; `false` where that had to be guessed.
pub(super) struct Clockwork {
    pub(super) zone: &'static str,
    pub(super) region: &'static str,
    pub(super) is_sure: bool,
}

/// The zone and the region of a seat.
pub(super) fn clockwork(known: &Known) -> Clockwork {
    let seat = &known.seat;
    let zone = zone(seat);
    let region = Region::find(seat.country());
    let of_customers = known.serves.iter().find_map(|law| Region::find(law.country()));
    Clockwork {
        zone: zone.unwrap_or("UTC"),
        region: region.or(of_customers).map_or("us", Region::code),
        is_sure: zone.is_some() && region.is_some() && !MANY_ZONES.contains(&seat.as_str()),
    }
}

/// Countries in which days end at several times: the zone of the capital, or of most people, is a guess.
const MANY_ZONES: &[&str] = &["us", "ca", "au", "br", "ru", "mx", "id"];

/// SOURCE: IANA time zone database, `zone1970.tab`; for countries with several zones the one that most people live in.
fn zone(seat: &Place) -> Option<&'static str> {
    Some(match seat.as_str() {
        "cn" => "Asia/Shanghai",
        "hk" => "Asia/Hong_Kong",
        "mo" => "Asia/Macau",
        "tw" => "Asia/Taipei",
        "sg" => "Asia/Singapore",
        "my" => "Asia/Kuala_Lumpur",
        "vn" => "Asia/Ho_Chi_Minh",
        "th" => "Asia/Bangkok",
        "id" => "Asia/Jakarta",
        "ph" => "Asia/Manila",
        "jp" => "Asia/Tokyo",
        "kr" => "Asia/Seoul",
        "in" => "Asia/Kolkata",
        "ae" => "Asia/Dubai",
        "au" => "Australia/Sydney",
        "nz" => "Pacific/Auckland",
        "us-ca" | "us-wa" | "us-or" | "us-nv" => "America/Los_Angeles",
        "us-tx" | "us-il" => "America/Chicago",
        "us" | "us-ny" | "us-nj" | "us-ma" | "us-fl" => "America/New_York",
        "ca" | "ca-on" | "ca-qc" => "America/Toronto",
        "uk" | "gb" => "Europe/London",
        "ie" => "Europe/Dublin",
        "de" => "Europe/Berlin",
        "fr" => "Europe/Paris",
        "it" => "Europe/Rome",
        "es" => "Europe/Madrid",
        "pt" => "Europe/Lisbon",
        "nl" => "Europe/Amsterdam",
        "be" => "Europe/Brussels",
        "lu" => "Europe/Luxembourg",
        "at" => "Europe/Vienna",
        "ch" => "Europe/Zurich",
        "pl" => "Europe/Warsaw",
        "cz" => "Europe/Prague",
        "hu" => "Europe/Budapest",
        "dk" => "Europe/Copenhagen",
        "se" => "Europe/Stockholm",
        "no" => "Europe/Oslo",
        "fi" => "Europe/Helsinki",
        "ro" => "Europe/Bucharest",
        "gr" => "Europe/Athens",
        _ => return None,
    })
}

fn head(known: &Known, sheet: &mut Sheet) {
    sheet.comment(&format!("{}的隐私政策，由 strongroom interview 的答案生成。", known.name.zh));
    sheet.comment("");
    sheet.comment(&format!(
        "The privacy policy of {}, made of the answers to an interview. Check it with",
        known.name.en
    ));
    sheet.comment("");
    sheet.comment("    strongroom check shop.toml");
    sheet.comment("");
    sheet.note(said(
        "只保存用途所需的字段；没有用途的，一概不收。尚未签订协议的接收方收不到任何数据。",
        "Only fields that a purpose needs are kept; nothing goes to a recipient without an agreement.",
    ));
    sheet.note(said("每个键的含义见 docs/spec/policy.md。", "docs/spec/policy.md explains every key."));
    sheet.gap();
    sheet.line("format = 1");
}

fn shop(known: &Known, plan: &Plan, today: Date, sheet: &mut Sheet) {
    let clockwork = clockwork(known);
    sheet.table("shop");
    sheet.pair("id", &quoted(&known.id), Some(said("永远不变", "never changes")));
    sheet.pair("name", &both(&known.name.zh, &known.name.en), None);
    sheet.pair("languages", &list(["zh", "en"]), None);
    sheet.pair(
        "zone",
        &quoted(clockwork.zone),
        Some(said("日、月、年在此时区结束", "days end when they end here")),
    );
    sheet.pair(
        "region",
        &quoted(clockwork.region),
        Some(said("不带国家代码的电话号码属于这里", "phone numbers without a calling code are from here")),
    );
    sheet.pair(
        "serves",
        &list(known.serves.iter().map(|law| law.as_str())),
        Some(said("适用哪些法律", "whose laws apply")),
    );
    sheet.pair("kept_in", &quoted(known.kept_in.as_str()), None);
    sheet.pair("established_in", &quoted(known.seat.as_str()), None);
    sheet.pair("sells_on", &list(known.sells_on.iter().map(|channel| channel.as_str())), None);
    sheet.pair("acts_as", &quoted("merchant"), None);
    match &known.address {
        Some(address) => sheet.pair("address", &quoted(address), None),
        None => sheet.pair(
            "# address",
            &quoted(""),
            Some(said("经营者名称和地址", "the name of the business and its address")),
        ),
    }
    sheet.pair("persons", &known.persons.to_string(), Some(said("从宽估计", "counted generously")));
    sheet.pair(
        "minors",
        &quoted("not_served"),
        Some(said("不向未成年人销售", "minors may not become customers")),
    );
    let officer =
        format!("{{ name = {}, contact = {} }}", quoted(&known.officer.name), quoted(&known.officer.contact));
    sheet.pair("officer", &officer, None);
    sheet.pair(
        "reviewed",
        &today.to_string(),
        Some(said("通读全文之日", "when a person last read it from end to end")),
    );
    sheet.pair("review", &quoted("12mo"), None);
    for (place, person) in &known.representatives {
        sheet.table(&format!("shop.representative.{place}"));
        sheet.pair("name", &quoted(&person.name), None);
        sheet.pair("contact", &quoted(&person.contact), None);
    }
    let missing = plan
        .representatives
        .iter()
        .filter(|law| !known.representatives.keys().any(|place| place.as_str() == law.as_str()));
    for law in missing {
        sheet.gap();
        sheet.note(said(
            "在此须有代表；指定后去掉井号并填写：",
            "Somebody has to stand for you here; once they are named, take off the # and fill in:",
        ));
        sheet.comment(&format!("[shop.representative.{law}]"));
        sheet.comment("name = \"\"");
        sheet.comment("contact = \"\"");
    }
}

fn kinds(known: &Known, plan: &Plan, sheet: &mut Sheet) {
    let held = |kind: Kind| FIELDS.iter().map(|field| field.name).filter(move |field| plan.uses(kind, field));
    if held(Kind::Customer).next().is_some() {
        sheet.table("record.customer");
        sheet.pair("label", &both("顾客", "Customer"), None);
        sheet.pair("fields", &list(held(Kind::Customer)), None);
        if known.has_own_shop() {
            sheet.pair(
                "events",
                &list(["active", "closed"]),
                Some(said("登录或购买；注销账户", "signed in or bought; closed the account")),
            );
        }
    }
    sheet.table("record.order");
    sheet.pair(
        "of",
        &quoted("customer"),
        Some(said("订单的事件也推动其顾客的时限", "an order's events move the clocks of its customer, too")),
    );
    sheet.pair("label", &both("订单", "Order"), None);
    sheet.pair("fields", &list(held(Kind::Order)), None);
    sheet.pair("events", &list(["placed", "delivered", "completed"]), None);
    sheet.pair("is", &list(["transaction"]), None);
}

/// How a field is declared.
struct FieldText {
    name: &'static str,
    category: &'static str,
    label: Text,
    /// The other keys, as they stand in the file.
    more: &'static [&'static str],
    note: Option<Text>,
}

const fn field(
    name: &'static str,
    category: &'static str,
    label: Text,
    more: &'static [&'static str],
) -> FieldText {
    FieldText { name, category, label, more, note: None }
}

const PHONE: &[&str] = &["normalise = \"phone\"", "index = \"exact\"", "mask = \"phone\""];
const NAME: &[&str] = &["normalise = \"text\"", "mask = \"name\""];

/// Every field, in the order of the file.
const FIELDS: &[FieldText] = &[
    FieldText {
        note: Some(said(
            "平台给出的买家标识，不是收件人代码",
            "as the marketplace gives it, and never the addressee's code",
        )),
        ..field(
            "buyer_id",
            "user.unique_id",
            said("平台买家标识", "Buyer's id on the marketplace"),
            &["index = \"exact\""],
        )
    },
    field("name", "user.name", said("姓名", "Name"), NAME),
    FieldText {
        note: Some(said("家人共用号码并不少见，因此不设唯一", "families share one: not unique")),
        ..field("phone", "user.contact.phone_number", said("手机号码", "Mobile number"), PHONE)
    },
    field(
        "email",
        "user.contact.email",
        said("电子邮箱", "E-mail address"),
        &["normalise = \"email\"", "index = \"exact\"", "mask = \"email\""],
    ),
    field(
        "id_number",
        "user.government_id.national_identification_number",
        said("身份证号码", "Identity number"),
        &["normalise = \"upper\"", "mask = \"id\""],
    ),
    field("recipient_name", "user.name", said("收货人", "Recipient"), NAME),
    field("address", "user.contact.address", said("收货地址", "Delivery address"), &["normalise = \"text\""]),
    FieldText {
        note: Some(said(
            "每周、每店、每应用不同：不得用作顾客标识",
            "another one each week, shop and app: it tells nobody apart",
        )),
        ..field(
            "oaid",
            "user.unique_id.pseudonymous",
            said("收件人代码（OAID）", "Addressee's code (OAID)"),
            &[],
        )
    },
    field("items", "user.behavior.purchase_history", said("所购商品", "What was bought"), &[]),
    field("amount", "user.payment", said("金额", "Amount"), &["kind = \"decimal\""]),
    field("paid_on", "user.payment", said("支付日期", "Day of payment"), &["kind = \"date\""]),
    field("payment_channel", "user.payment", said("支付渠道", "Way of payment"), &[]),
    FieldText {
        note: Some(said(
            "支付机构的流水号，绝不是卡号",
            "the institution's number for the payment, never a card number",
        )),
        ..field(
            "payment_reference",
            "user.payment",
            said("支付流水号", "Payment reference"),
            &["index = \"exact\"", "mask = \"last4\""],
        )
    },
];

fn fields(plan: &Plan, sheet: &mut Sheet) {
    let used =
        |field: &&FieldText| plan.uses(Kind::Customer, field.name) || plan.uses(Kind::Order, field.name);
    for field in FIELDS.iter().filter(used) {
        sheet.table(&format!("field.{}", field.name));
        if let Some(note) = field.note {
            sheet.note(note);
        }
        sheet.pair("category", &quoted(field.category), None);
        sheet.pair("label", &both(field.label.zh, field.label.en), None);
        for line in field.more {
            sheet.line(line);
        }
    }
}

fn purpose(purpose: &Purpose, plan: &Plan, sheet: &mut Sheet) {
    sheet.table(&format!("purpose.{}", purpose.name));
    if let Some(note) = purpose.note {
        sheet.note(note);
    }
    sheet.pair("use", &quoted(purpose.data_use), None);
    sheet.pair("basis", &quoted(purpose.basis.as_str()), None);
    sheet.pair("says", &both(purpose.says.zh, purpose.says.en), None);
    let uses: Vec<String> = purpose.uses.iter().map(|one| used(*one, plan)).collect();
    sheet.pair("fields", &format!("[{}]", uses.join(", ")), None);
    sheet.pair("keep", &quoted(&purpose.keep), None);
    for (key, value) in
        [("must_keep", &purpose.must_keep), ("at_most", &purpose.at_most), ("law", &purpose.law)]
    {
        if let Some(value) = value {
            sheet.pair(key, &quoted(value), None);
        }
    }
    if !purpose.recipients.is_empty() {
        sheet.pair("recipients", &list(purpose.recipients.iter().map(String::as_str)), None);
    }
}

/// A field that both kinds hold is named with its kind.
fn used(one: Use, plan: &Plan) -> String {
    let is_held_twice = plan.uses(Kind::Customer, one.field) && plan.uses(Kind::Order, one.field);
    let kind = if one.kind == Kind::Customer { "customer" } else { "order" };
    let name = if is_held_twice { quoted(&format!("{kind}.{}", one.field)) } else { quoted(one.field) };
    if one.optional { format!("{{ field = {name}, optional = true }}") } else { name }
}

fn recipient(recipient: &Recipient, sheet: &mut Sheet) {
    sheet.table(&format!("recipient.{}", recipient.name));
    sheet.pair("kind", &quoted(recipient.role.kind().as_str()), None);
    sheet.pair("name", &both(&recipient.title.zh, &recipient.title.en), None);
    sheet.pair("in", &quoted(recipient.place.as_str()), None);
    let acts_as = match recipient.role.acts_as() {
        RecipientRole::Processor => said("只按指示处理", "acts on instructions only"),
        RecipientRole::Handler => said("自行决定处理目的", "decides by itself what it does with the data"),
    };
    sheet.pair("acts_as", &quoted(recipient.role.acts_as().as_str()), Some(acts_as));
    if let Some(contact) = &recipient.contact {
        sheet.pair("contact", &quoted(contact), None);
    }
    if !recipient.routes.is_empty() {
        let route =
            |(law, route): &(String, crate::words::Route)| format!("{law} = {}", quoted(route.as_str()));
        let routes: Vec<String> = recipient.routes.iter().map(route).collect();
        sheet.pair("route", &format!("{{ {} }}", routes.join(", ")), None);
    }
    sheet.note(said(
        "签订协议后去掉井号并写上日期；在此之前不会向其提供任何数据",
        "Once an agreement is signed, take off the # and write its day; until then it gets nothing",
    ));
    sheet.comment("agreement = { signed = YYYY-MM-DD }");
}

fn roles(plan: &Plan, sheet: &mut Sheet) {
    const ROLES: [(Role, &str, Text); 5] = [
        (Role::Warehouse, "warehouse", said("仓库", "Warehouse")),
        (Role::Support, "support", said("客服", "Customer service")),
        (Role::Finance, "finance", said("财务", "Finance")),
        (Role::Customs, "customs", said("关务", "Customs desk")),
        (Role::Marketing, "marketing", said("市场", "Marketing")),
    ];
    for (role, name, label) in ROLES {
        let purposes: Vec<&str> =
            plan.purposes.iter().filter(|purpose| purpose.role == role).map(|purpose| purpose.name).collect();
        if purposes.is_empty() {
            continue;
        }
        sheet.table(&format!("role.{name}"));
        sheet.pair("label", &both(label.zh, label.en), None);
        sheet.pair("purposes", &list(purposes), None);
    }
}

/// The text as it grows.
#[derive(Default)]
struct Sheet {
    text: String,
}

impl Sheet {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn gap(&mut self) {
        self.line("");
    }

    fn comment(&mut self, words: &str) {
        self.line(format!("# {words}").trim_end());
    }

    /// A comment in both languages, one below the other.
    fn note(&mut self, note: Text) {
        self.comment(note.zh);
        self.comment(note.en);
    }

    /// `# ── 保存什么 What is kept ───…`
    fn heading(&mut self, title: Text) {
        let start = format!("# ── {} {} ", title.zh, title.en);
        // A Chinese character is two columns wide.
        let width: usize = start.chars().map(|character| if character > '\u{2e80}' { 2 } else { 1 }).sum();
        let rule = "─".repeat(WIDTH.saturating_sub(width));
        self.gap();
        self.line(&format!("{start}{rule}"));
    }

    fn table(&mut self, path: &str) {
        self.gap();
        self.line(&format!("[{path}]"));
    }

    fn pair(&mut self, key: &str, value: &str, note: Option<Text>) {
        let _ = write!(self.text, "{key} = {value}");
        if let Some(note) = note {
            let _ = write!(self.text, "  # {} {}", note.zh, note.en);
        }
        self.gap();
    }
}

const WIDTH: usize = 119;

fn both(zh: &str, en: &str) -> String {
    format!("{{ zh = {}, en = {} }}", quoted(zh), quoted(en))
}

fn list<'t>(words: impl IntoIterator<Item = &'t str>) -> String {
    let words: Vec<String> = words.into_iter().map(quoted).collect();
    format!("[{}]", words.join(", "))
}

/// A basic string of TOML: no character ends it early, and none stands in it that a line cannot hold.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len().saturating_add(2));
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            control if control.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(control));
            }
            plain => quoted.push(plain),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_zone_is_one_of_the_database() {
        let letters =
            || ('a'..='z').flat_map(|first| ('a'..='z').map(move |second| format!("{first}{second}")));
        let states = letters().map(|state| format!("us-{state}"));
        let places = letters().chain(states).filter_map(|code| Place::parse(&code));
        let zones: Vec<&str> = places.filter_map(|place| zone(&place)).collect();
        assert!(zones.len() > 40);
        for name in zones {
            assert!(jiff::tz::TimeZoneDatabase::bundled().get(name).is_ok(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_quoted_text_reads_back_as_it_was(text: String) {
            let read: toml::Table = toml::from_str(&format!("a = {}", quoted(&text))).unwrap();
            prop_assert_eq!(read.get("a").and_then(toml::Value::as_str), Some(text.as_str()));
        }
    }
}
