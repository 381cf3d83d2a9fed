//! Answers that have been looked at: each parsed once into what it means, or refused with how to mend it.

use super::answers::{Answers, Partner, Person};
use super::choices::{Doing, PartnerRole, Served};
use super::question::MOST_PARTNERS;
use super::{Refused, words};
use crate::text::{LONGEST_TEXT, Place, is_hidden};
use crate::words::Channel;
use rulebook::Words;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of a shop.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) name: Words,
    pub(super) id: String,
    pub(super) serves: BTreeSet<Served>,
    pub(super) sells_on: BTreeSet<Channel>,
    pub(super) seat: Place,
    pub(super) address: Option<String>,
    pub(super) kept_in: Place,
    pub(super) persons: u64,
    pub(super) does: BTreeSet<Doing>,
    pub(super) partners: Vec<KnownPartner>,
    pub(super) officer: Person,
    pub(super) representatives: BTreeMap<Place, Person>,
}

/// Somebody who gets data.
#[derive(Clone, Debug)]
pub(super) struct KnownPartner {
    pub(super) role: PartnerRole,
    pub(super) name: Words,
    pub(super) place: Place,
    pub(super) contact: Option<String>,
}

impl Known {
    /// Looks at every answer; gives all that is wrong with them at once.
    pub(super) fn of(answers: &Answers) -> Result<Self, Vec<Refused>> {
        let mut refused = Vec::new();
        let name = kept(name(answers), &mut refused);
        let id = kept(id(answers), &mut refused);
        let serves = kept(serves(answers), &mut refused);
        let sells_on = kept(sells_on(answers), &mut refused);
        let seat = kept(seat(answers), &mut refused);
        let kept_in = kept(kept_in(answers), &mut refused);
        let persons = kept(persons(answers), &mut refused);
        let does = answers.does.iter().copied().collect();
        let partners = kept(partners(answers), &mut refused);
        let people = kept(people(answers), &mut refused);
        let all = || {
            let (seat, address) = seat?;
            let (officer, representatives) = people?;
            Some(Self {
                name: name?,
                id: id?,
                serves: serves?,
                sells_on: sells_on?,
                seat,
                address,
                kept_in: kept_in?,
                persons: persons?,
                does,
                partners: partners?,
                officer,
                representatives,
            })
        };
        all().ok_or(refused)
    }

    /// Does it do this besides selling?
    pub(super) fn has(&self, doing: Doing) -> bool {
        self.does.contains(&doing)
    }

    /// Does it serve consumers there?
    pub(super) fn serves(&self, law: Served) -> bool {
        self.serves.contains(&law)
    }

    /// Has it a shop of its own?
    pub(super) fn has_own_shop(&self) -> bool {
        self.sells_on.contains(&Channel::Own)
    }

    /// Does it sell on somebody's market?
    pub(super) fn is_on_a_market(&self) -> bool {
        self.sells_on.iter().any(|channel| *channel != Channel::Own)
    }

    /// Does it get addressees as they are, and not only a code that stands for them?
    pub(super) fn gets_addressees(&self) -> bool {
        self.sells_on.iter().any(|channel| !hides_addressees(*channel))
    }

    /// Does it get codes that stand for addressees?
    pub(super) fn gets_codes(&self) -> bool {
        self.sells_on.iter().any(|channel| hides_addressees(*channel))
    }
}

/// Does the market give a code (OAID) in the place of an addressee?
///
/// SOURCE: packs `taobao` (its documents were read) and `jd` (from knowledge, of low confidence).
fn hides_addressees(channel: Channel) -> bool {
    matches!(channel, Channel::Jd | Channel::Taobao | Channel::Tmall)
}

fn kept<T>(outcome: Result<T, Refused>, refused: &mut Vec<Refused>) -> Option<T> {
    outcome.map_err(|why| refused.push(why)).ok()
}

pub(super) fn name(answers: &Answers) -> Result<Words, Refused> {
    both("name", &answers.name)
}

pub(super) fn id(answers: &Answers) -> Result<String, Refused> {
    let written = answers.id.trim();
    let id = if written.is_empty() { usual_id(&answers.name) } else { Some(written.to_owned()) };
    id.filter(|id| is_an_id(id)).ok_or_else(|| {
        refused(
            "id",
            "标识以小写字母 a-z 开头，其后为 a-z、0-9 或连字符，共2至40个字符，例如 haiwai-gou",
            "an id begins with a letter a-z and goes on with a-z, 0-9 or `-`; 2 to 40 characters, such as haiwai-gou",
        )
    })
}

/// The id that the English name suggests.
pub(super) fn usual_id(name: &Words) -> Option<String> {
    let mut id = String::new();
    for character in name.en.chars() {
        if character.is_ascii_alphanumeric() {
            id.push(character.to_ascii_lowercase());
        } else if !id.is_empty() && !id.ends_with('-') {
            id.push('-');
        }
    }
    let id: String = id.chars().take(40).collect();
    let id = id.trim_end_matches('-');
    is_an_id(id).then(|| id.to_owned())
}

fn is_an_id(id: &str) -> bool {
    let begins = id.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    let shaped = id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    begins && shaped && (2..=40).contains(&id.len())
}

pub(super) fn serves(answers: &Answers) -> Result<BTreeSet<Served>, Refused> {
    some("serves", answers.serves.iter().copied().collect())
}

pub(super) fn sells_on(answers: &Answers) -> Result<BTreeSet<Channel>, Refused> {
    let channels: BTreeSet<Channel> = answers.sells_on.iter().copied().collect();
    if channels.iter().any(|channel| matches!(channel, Channel::Shopify | Channel::Amazon)) {
        return Err(refused(
            "sells_on",
            "问答不涵盖 Shopify 和亚马逊：请先以其余渠道生成，再按 docs/guide/policy.md 手工补充",
            "the interview does not cover Shopify and Amazon: answer for the other channels, and add them by hand as docs/guide/policy.md says",
        ));
    }
    some("sells_on", channels)
}

fn some<T>(question: &'static str, chosen: BTreeSet<T>) -> Result<BTreeSet<T>, Refused> {
    if chosen.is_empty() {
        return Err(refused(question, "请至少选择一项", "choose at least one"));
    }
    Ok(chosen)
}

pub(super) fn seat(answers: &Answers) -> Result<(Place, Option<String>), Refused> {
    let seat = place("established_in", &answers.established_in)?;
    if seat.as_str() == "eu" {
        return Err(refused(
            "established_in",
            "请填写所在成员国，例如 de、fr、ie：各成员国的法律不同",
            "write the member state, such as de, fr, ie: their laws differ",
        ));
    }
    Ok((seat, maybe("established_in", &answers.address)?))
}

pub(super) fn kept_in(answers: &Answers) -> Result<Place, Refused> {
    let written = if answers.kept_in.trim().is_empty() { &answers.established_in } else { &answers.kept_in };
    place("kept_in", written)
}

pub(super) fn persons(answers: &Answers) -> Result<u64, Refused> {
    let count = answers.persons.filter(|count| *count <= MOST_PERSONS);
    count.ok_or_else(|| {
        refused(
            "persons",
            "请填写整数，例如 20000 或 2万；从宽估计",
            "write a whole number, such as 20000; count generously",
        )
    })
}

/// More persons than there are is a slip of the hand.
const MOST_PERSONS: u64 = 10_000_000_000;

pub(super) fn partners(answers: &Answers) -> Result<Vec<KnownPartner>, Refused> {
    if answers.partner.len() > MOST_PARTNERS {
        return Err(refused(
            "partner",
            format!("最多填写{MOST_PARTNERS}家；其余请在生成的文件中补充"),
            format!("at most {MOST_PARTNERS}; add the others to the file"),
        ));
    }
    answers.partner.iter().map(|partner| one_partner(answers, partner)).collect()
}

fn one_partner(answers: &Answers, partner: &Partner) -> Result<KnownPartner, Refused> {
    if !is_asked_for(answers, partner.role) {
        let role = partner.role;
        return Err(refused(
            "partner",
            format!("`{role}` 与前面的答案不符：店铺不需要它"),
            format!("`{role}` does not fit the answers before: the shop has no use for it"),
        ));
    }
    Ok(KnownPartner {
        role: partner.role,
        name: both("partner", &partner.name)?,
        place: place("partner", &partner.place)?,
        contact: maybe("partner", &partner.contact)?,
    })
}

/// Has a shop with these answers a use for such a partner?
pub(super) fn is_asked_for(answers: &Answers, role: PartnerRole) -> bool {
    match (role, role.channel()) {
        (_, Some(channel)) => answers.sells_on.contains(&channel),
        (PartnerRole::Payment, None) => answers.sells_on.contains(&Channel::Own),
        (PartnerRole::CustomsBroker, None) => answers.does.contains(&Doing::Customs),
        (PartnerRole::AdPartner, None) => answers.does.contains(&Doing::AdPartner),
        (_, None) => true,
    }
}

type People = (Person, BTreeMap<Place, Person>);

pub(super) fn people(answers: &Answers) -> Result<People, Refused> {
    let officer = person(&answers.officer)?;
    let standing = answers.representative.iter();
    let representatives =
        standing.map(|(at, who)| Ok((place("people", at)?, person(who)?))).collect::<Result<_, Refused>>()?;
    Ok((officer, representatives))
}

fn person(person: &Person) -> Result<Person, Refused> {
    Ok(Person { name: text("people", &person.name)?, contact: text("people", &person.contact)? })
}

fn place(question: &'static str, written: &str) -> Result<Place, Refused> {
    Place::parse(&written.trim().to_lowercase()).ok_or_else(|| {
        refused(
            question,
            "请填写国家或地区的两位代码，例如 cn、hk、sg、us、vn、de；州写作 us-ca",
            "write the code of a country, such as cn, hk, sg, us, vn, de; a state as us-ca",
        )
    })
}

fn both(question: &'static str, written: &Words) -> Result<Words, Refused> {
    Ok(Words { zh: text(question, &written.zh)?, en: text(question, &written.en)? })
}

fn maybe(question: &'static str, written: &str) -> Result<Option<String>, Refused> {
    if written.trim().is_empty() { Ok(None) } else { text(question, written).map(Some) }
}

/// A text that may stand in a policy: not empty, not too long, nothing hidden in it.
fn text(question: &'static str, written: &str) -> Result<String, Refused> {
    let text = written.trim();
    if text.is_empty() {
        return Err(refused(question, "名称或联系方式不能为空", "a name or a contact is missing"));
    }
    if text.chars().count() > LONGEST_TEXT {
        return Err(refused(
            question,
            format!("太长：最多{LONGEST_TEXT}个字符"),
            format!("too long: at most {LONGEST_TEXT} characters"),
        ));
    }
    if text.chars().any(is_hidden) {
        return Err(refused(
            question,
            "含有看不见的字符（换行、控制符或改变书写方向的字符），请重新输入",
            "there is a hidden character in it (a line break, a control character, or one that turns the direction); type it anew",
        ));
    }
    Ok(text.to_owned())
}

fn refused(question: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Refused {
    Refused { question, why: words(zh, en) }
}
