//! The ten questions, and how a line that somebody typed becomes an answer.

use super::answers::{Answers, Partner, Person};
use super::choices::{Doing, PartnerRole, Served};
use super::known::{self, is_asked_for};
use super::law::{Law, needs_representative};
use super::{Refused, said, words};
use crate::text::Place;
use crate::words::Channel;
use jiff::civil::Date;
use rulebook::{Pack, Text, Words};

/// The most partners that one interview takes.
pub const MOST_PARTNERS: usize = 20;

/// A question to a shop.
#[derive(Debug, PartialEq, Eq)]
pub struct Question {
    /// Its id: the key of its answer in a file of answers.
    pub id: &'static str,
    /// What is asked.
    pub asks: Text,
    /// How to answer, and what comes of it.
    pub help: Text,
    /// What can be answered.
    pub kind: QuestionKind,
    asked: Asked,
}

/// What can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuestionKind {
    /// Words.
    Text,
    /// A whole number.
    Count,
    /// At least one of these.
    SeveralOf(&'static [Choice]),
    /// Some of these, or none.
    AnyOf(&'static [Choice]),
}

/// Something to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The word, as a file of answers has it.
    pub word: &'static str,
    /// What it is.
    pub label: Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Name,
    Id,
    Serves,
    SellsOn,
    Seat,
    KeptIn,
    Persons,
    Does,
    Partners,
    People,
}

const fn choice(word: &'static str, zh: &'static str, en: &'static str) -> Choice {
    Choice { word, label: said(zh, en) }
}

/// The questions, in the order in which they are asked: later ones rest on the answers to earlier ones.
pub static QUESTIONS: &[Question] = &[
    Question {
        id: "name",
        asks: said("店铺叫什么名字？", "What is the shop called?"),
        help: said(
            "中文名与英文名以“ / ”分隔，例如：海外购 / Haiwai Gou",
            "The Chinese and the English name with ` / ` between them: 海外购 / Haiwai Gou",
        ),
        kind: QuestionKind::Text,
        asked: Asked::Name,
    },
    Question {
        id: "id",
        asks: said("店铺的标识？", "What is the shop's id?"),
        help: said(
            "用于密钥和地址，永远不变：小写字母、数字、连字符，2至40个字符",
            "It stands in keys and addresses, and never changes: small letters, digits and hyphens, 2 to 40 characters",
        ),
        kind: QuestionKind::Text,
        asked: Asked::Id,
    },
    Question {
        id: "serves",
        asks: said("向哪些地方的消费者销售？", "Whose consumers do you serve?"),
        help: said("由此决定适用哪些法律", "It decides whose laws apply"),
        kind: QuestionKind::SeveralOf(&[
            choice("cn", "中国", "China"),
            choice("eu", "欧盟", "European Union"),
            choice("us-ca", "美国加州", "California"),
            choice("sg", "新加坡", "Singapore"),
            choice("vn", "越南", "Vietnam"),
        ]),
        asked: Asked::Serves,
    },
    Question {
        id: "sells_on",
        asks: said("在哪里销售？", "Where do you sell?"),
        help: said("各平台有自己的规则", "Marketplaces have rules of their own"),
        kind: QuestionKind::SeveralOf(&[
            choice("own", "自有商城", "a shop of your own"),
            choice("jd", "京东", "JD.com"),
            choice("taobao", "淘宝", "Taobao"),
            choice("tmall", "天猫", "Tmall"),
            choice("tiktok-shop", "TikTok Shop", "TikTok Shop"),
        ]),
        asked: Asked::SellsOn,
    },
    Question {
        id: "established_in",
        asks: said("经营主体设在哪个国家或地区？", "In which country does the business have its seat?"),
        help: said(
            "两位代码，其后可写经营者名称和地址，例如：cn, 某某贸易有限公司，上海市……",
            "The code of the country; behind a comma, if you like, the name of the business and its address: sg, Example Pte. Ltd., 1 Example Road",
        ),
        kind: QuestionKind::Text,
        asked: Asked::Seat,
    },
    Question {
        id: "kept_in",
        asks: said("数据保存在哪个国家或地区？", "In which country is the data kept?"),
        help: said("服务器所在地的两位代码", "The code of the country in which the servers are"),
        kind: QuestionKind::Text,
        asked: Asked::KeptIn,
    },
    Question {
        id: "persons",
        asks: said("大约有多少人的数据？", "Of about how many persons will you have data?"),
        help: said(
            "从宽估计：法律以人数设门槛。可写 20000 或 2万",
            "Count generously: laws have thresholds. A whole number, such as 20000",
        ),
        kind: QuestionKind::Count,
        asked: Asked::Persons,
    },
    Question {
        id: "does",
        asks: said("除销售和配送外，还做什么？", "What do you do with data besides selling and delivering?"),
        help: said(
            "每一项都须单独征得同意；没有就不选",
            "Each needs a consent of its own; choose none if you do none of them",
        ),
        kind: QuestionKind::AnyOf(&[
            choice("marketing_email", "营销邮件", "marketing by e-mail"),
            choice("marketing_sms", "营销短信", "marketing by text message"),
            choice("recommendation", "个性化推荐", "personalised recommendations"),
            choice("statistics", "统计分析", "statistics"),
            choice("customs", "跨境清关（收集身份证号）", "customs clearance with identity numbers"),
            choice("ad_partner", "向广告合作方提供联系方式", "giving contacts to an advertising partner"),
        ]),
        asked: Asked::Does,
    },
    Question {
        id: "partner",
        asks: said("由谁配送、收款……？", "Who carries parcels, takes payments, …?"),
        help: said(
            "角色: 中文名 / 英文名 (国家代码) <联系方式>，以分号分隔，例如：courier: 顺丰速运 / SF Express (cn) <95338>；暂不确定可留空",
            "role: Chinese name / English name (country) <contact>, with semicolons between them, such as courier: 顺丰速运 / SF Express (cn) <95338>; leave it empty if you do not know yet",
        ),
        kind: QuestionKind::Text,
        asked: Asked::Partners,
    },
    Question {
        id: "people",
        asks: said(
            "谁负责个人信息保护？如何联系？",
            "Who answers for personal data, and how do people reach them?",
        ),
        help: said(
            "姓名或职务 <联系方式>；如须境内代表，其后写：; eu: 名称 <联系方式>; cn: 名称 <联系方式>",
            "Name or office <contact>; and where somebody has to stand for you, behind it: ; eu: name <contact>; cn: name <contact>",
        ),
        kind: QuestionKind::Text,
        asked: Asked::People,
    },
];

impl Question {
    /// What is answered by somebody who answers nothing; `None` where there has to be an answer.
    pub fn usual(&self, so_far: &Answers) -> Option<String> {
        match self.asked {
            Asked::Id => known::usual_id(&so_far.name),
            Asked::Serves | Asked::Seat => Some("cn".to_owned()),
            Asked::SellsOn => Some("own".to_owned()),
            Asked::KeptIn => known::seat(so_far).ok().map(|(seat, _)| seat.to_string()),
            Asked::Does | Asked::Partners => Some(String::new()),
            Asked::Name | Asked::Persons | Asked::People => None,
        }
    }

    /// What these answers make of the question: which partners, which representatives are meant. `None` where there is nothing to add.
    /// Takes the answers so far; the day whose law is asked, and the packs.
    pub fn hint(&self, so_far: &Answers, today: Date, packs: &[&Pack]) -> Option<Words> {
        match self.asked {
            Asked::Partners => Some(roles_asked_for(so_far)),
            Asked::People => representatives_asked_for(so_far, Law { packs, on: today }),
            _ => None,
        }
    }

    /// Takes a line that somebody typed for an answer.
    ///
    /// Takes the line, and the answers so far, into which this one is put. Fails with what is wrong with it, in both languages; then the answers
    /// are as they were.
    pub fn take(&self, line: &str, answers: &mut Answers) -> Result<(), Refused> {
        let mut with = answers.clone();
        self.put(line.trim(), &mut with)?;
        self.look(&with)?;
        *answers = with;
        Ok(())
    }

    fn put(&self, line: &str, answers: &mut Answers) -> Result<(), Refused> {
        match self.asked {
            Asked::Name => answers.name = both(line),
            Asked::Id => line.clone_into(&mut answers.id),
            Asked::Serves => answers.serves = self.chosen(line, Served::find)?,
            Asked::SellsOn => answers.sells_on = self.chosen(line, Channel::find)?,
            Asked::Seat => {
                let (seat, address) = line.split_once([',', '，']).unwrap_or((line, ""));
                seat.clone_into(&mut answers.established_in);
                address.clone_into(&mut answers.address);
            }
            Asked::KeptIn => line.clone_into(&mut answers.kept_in),
            Asked::Persons => answers.persons = count(line),
            Asked::Does => answers.does = self.chosen(line, Doing::find)?,
            Asked::Partners => {
                answers.partner = parts(line).map(|part| self.partner(part)).collect::<Result<_, _>>()?;
            }
            Asked::People => people(line, answers),
        }
        Ok(())
    }

    fn look(&self, answers: &Answers) -> Result<(), Refused> {
        match self.asked {
            Asked::Name => known::name(answers).map(drop),
            Asked::Id => known::id(answers).map(drop),
            Asked::Serves => known::serves(answers).map(drop),
            Asked::SellsOn => known::sells_on(answers).map(drop),
            Asked::Seat => known::seat(answers).map(drop),
            Asked::KeptIn => known::kept_in(answers).map(drop),
            Asked::Persons => known::persons(answers).map(drop),
            Asked::Does => Ok(()),
            Asked::Partners => known::partners(answers).map(drop),
            Asked::People => known::people(answers).map(drop),
        }
    }

    /// The words that a line names, by themselves or by their numbers: `1 3`, `cn, eu`.
    fn chosen<T>(&self, line: &str, find: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, Refused> {
        let choices = self.kind.choices();
        let split = |character: char| character.is_whitespace() || ",，、;；".contains(character);
        let named = line.split(split).filter(|word| !word.is_empty() && !NONE.contains(word));
        let one = |word: &str| {
            let number = word.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            let chosen = match number {
                Some(number) => choices.get(number),
                None => choices.iter().find(|choice| {
                    [choice.word, choice.label.zh, choice.label.en]
                        .iter()
                        .any(|known| known.eq_ignore_ascii_case(word))
                }),
            };
            chosen.and_then(|choice| find(choice.word)).ok_or_else(|| self.no_choice(word))
        };
        named.map(one).collect()
    }

    fn no_choice(&self, word: &str) -> Refused {
        let shown = crate::text::quoted(word);
        let most = self.kind.choices().len();
        self.refused(
            format!("没有`{shown}`这一项；请填写1至{most}的编号或括号中的词"),
            format!("`{shown}` is not among them; write numbers from 1 to {most}, or their words"),
        )
    }

    /// `courier: 顺丰速运 / SF Express (cn) <95338>`
    fn partner(&self, part: &str) -> Result<Partner, Refused> {
        let shown = crate::text::quoted(part);
        let unread = || {
            self.refused(
                format!("看不懂`{shown}`；请写作 courier: 顺丰速运 / SF Express (cn) <95338>"),
                format!("`{shown}` cannot be read; write it as courier: 顺丰速运 / SF Express (cn) <95338>"),
            )
        };
        let (role, rest) = part.split_once([':', '：']).ok_or_else(unread)?;
        let role = role_of(role).ok_or_else(unread)?;
        let (rest, contact) = between(rest, ['<', '＜'], ['>', '＞']).unwrap_or((rest, ""));
        let (name, place) = between(rest, ['(', '（'], [')', '）']).ok_or_else(unread)?;
        Ok(Partner { role, name: both(name), place: place.to_owned(), contact: contact.to_owned() })
    }

    fn refused(&self, zh: String, en: String) -> Refused {
        Refused { question: self.id, why: words(zh, en) }
    }
}

impl QuestionKind {
    /// What can be chosen; nothing where words or a number are asked for.
    pub fn choices(self) -> &'static [Choice] {
        match self {
            Self::SeveralOf(choices) | Self::AnyOf(choices) => choices,
            Self::Text | Self::Count => &[],
        }
    }
}

/// What people write who choose nothing.
const NONE: &[&str] = &["-", "none", "无", "没有"];

/// `海外购 / Haiwai Gou`: the part with Chinese characters is the Chinese name. One name stands for both.
fn both(line: &str) -> Words {
    let pair = line.split_once(" / ").or_else(|| line.split_once('／'));
    let (first, second) = pair.unwrap_or((line, line));
    let is_chinese = |text: &str| text.chars().any(|character| matches!(character, '\u{4e00}'..='\u{9fff}'));
    let turned = is_chinese(second) && !is_chinese(first);
    let (zh, en) = if turned { (second, first) } else { (first, second) };
    words(zh.trim(), en.trim())
}

/// `20000`, `20,000`, `2万`.
fn count(line: &str) -> Option<u64> {
    let plain: String =
        line.chars().filter(|character| !character.is_whitespace() && !",，_".contains(*character)).collect();
    let (digits, times) = match (plain.strip_suffix('万'), plain.strip_suffix('亿')) {
        (Some(digits), _) => (digits, 10_000),
        (_, Some(digits)) => (digits, 100_000_000),
        _ => (plain.as_str(), 1),
    };
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse::<u64>().ok().filter(|_| is_plain)?.checked_mul(times)
}

fn parts(line: &str) -> impl Iterator<Item = &str> {
    line.split([';', '；']).map(str::trim).filter(|part| !part.is_empty())
}

fn role_of(word: &str) -> Option<PartnerRole> {
    let word = word.trim().to_lowercase();
    let is_meant = |role: &&PartnerRole| role.as_str() == word || role.also_called().contains(&word.as_str());
    PartnerRole::ALL.iter().find(is_meant).copied()
}

/// What stands before the last pair of brackets, and in it.
fn between(text: &str, open: [char; 2], close: [char; 2]) -> Option<(&str, &str)> {
    let (before, inside) = text.trim_end().strip_suffix(close)?.rsplit_once(open)?;
    Some((before.trim(), inside.trim()))
}

/// `林月 <privacy@shop.example>; eu: Ann <ann@rep.example>`
fn people(line: &str, answers: &mut Answers) {
    answers.officer = Person::default();
    answers.representative.clear();
    for part in parts(line) {
        let standing = part
            .split_once([':', '：'])
            .and_then(|(at, who)| Some((Place::parse(&at.trim().to_lowercase())?, person(who))));
        match standing {
            Some((place, person)) => {
                answers.representative.insert(place.to_string(), person);
            }
            None => answers.officer = person(part),
        }
    }
}

/// `林月 <privacy@shop.example>`, or with a comma between them.
fn person(part: &str) -> Person {
    let split = between(part, ['<', '＜'], ['>', '＞']).or_else(|| part.split_once([',', '，']));
    let (name, contact) = split.unwrap_or((part, ""));
    Person { name: name.trim().to_owned(), contact: contact.trim().to_owned() }
}

fn roles_asked_for(so_far: &Answers) -> Words {
    let asked = |role: &&PartnerRole| is_asked_for(so_far, **role);
    let roles: Vec<&str> = PartnerRole::ALL.iter().filter(asked).map(|role| role.as_str()).collect();
    let roles = roles.join(", ");
    words(format!("可填写的角色：{roles}"), format!("Roles that you may need: {roles}"))
}

fn representatives_asked_for(so_far: &Answers, law: Law<'_>) -> Option<Words> {
    let (seat, _) = known::seat(so_far).ok()?;
    let needed = so_far.serves.iter().filter(|served| needs_representative(**served, &seat, law));
    let needed: Vec<&str> = needed.map(|served| served.as_str()).collect();
    let places = needed.join(", ");
    (!needed.is_empty()).then(|| {
        words(
            format!("法律要求在以下地方有代表：{places}；尚未指定的可先不写"),
            format!(
                "The law wants somebody to stand for you in: {places}; leave out whom you have not named yet"
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(id: &str) -> &'static Question {
        QUESTIONS.iter().find(|question| question.id == id).unwrap()
    }

    fn taken(id: &str, line: &str) -> Answers {
        let mut answers = Answers {
            serves: vec![Served::Cn],
            sells_on: vec![Channel::Own, Channel::TiktokShop],
            ..Answers::default()
        };
        ask(id).take(line, &mut answers).unwrap();
        answers
    }

    fn why(id: &str, line: &str) -> String {
        let mut answers = Answers::default();
        let refused = ask(id).take(line, &mut answers).unwrap_err();
        assert_eq!(answers, Answers::default());
        refused.why.en
    }

    #[test]
    fn a_name_in_two_languages_is_told_apart() {
        for line in ["海外购 / Haiwai Gou", "Haiwai Gou / 海外购", "海外购／Haiwai Gou"] {
            assert_eq!(taken("name", line).name, words("海外购", "Haiwai Gou"), "{line}");
        }
        assert_eq!(taken("name", "Tea House").name, words("Tea House", "Tea House"));
    }

    #[test]
    fn choices_are_made_by_number_by_word_and_by_name() {
        for line in ["1 3", "cn, us-ca", "中国、美国加州", "1；California"] {
            assert_eq!(taken("serves", line).serves, [Served::Cn, Served::UsCa], "{line}");
        }
        for line in ["", "-", "无"] {
            assert!(taken("does", line).does.is_empty(), "{line}");
        }
        assert_eq!(why("serves", "6"), "`6` is not among them; write numbers from 1 to 5, or their words");
        assert_eq!(why("serves", "0"), "`0` is not among them; write numbers from 1 to 5, or their words");
        assert_eq!(why("serves", ""), "choose at least one");
    }

    #[test]
    fn a_number_of_persons_is_read_as_people_write_it() {
        for line in ["20000", "20,000", "20 000", "2万"] {
            assert_eq!(taken("persons", line).persons, Some(20_000), "{line}");
        }
        for line in ["", "many", "-3", "+3", "1.5万", "99999999999999999999亿", "200亿"] {
            assert!(why("persons", line).starts_with("write a whole number"), "{line}");
        }
    }

    #[test]
    fn partners_are_read_with_place_and_contact() {
        let answers = taken(
            "partner",
            "courier: 顺丰速运 / SF Express (cn) <95338>； 支付：支付宝 / Alipay（CN）; tiktok: TikTok Shop (sg)",
        );
        let shown: Vec<_> = answers
            .partner
            .iter()
            .map(|one| (one.role.as_str(), one.name.en.as_str(), one.place.as_str(), one.contact.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                ("courier", "SF Express", "cn", "95338"),
                ("payment", "Alipay", "CN", ""),
                ("tiktok-shop", "TikTok Shop", "sg", "")
            ]
        );
        assert!(why("partner", "SF Express").contains("cannot be read"));
        assert!(why("partner", "courier: SF Express").contains("cannot be read"));
        assert!(why("partner", "courier: SF Express (xx)").contains("code of a country"));
        assert!(why("partner", "customs-broker: Broker (cn)").contains("no use for it"));
    }

    #[test]
    fn people_are_read_with_those_who_stand_for_the_shop() {
        let answers = taken(
            "people",
            "林月 <privacy@shop.example>; EU: Ann Rep <https://rep.example/>; cn：代表，010-1",
        );
        assert_eq!(answers.officer, Person { name: "林月".into(), contact: "privacy@shop.example".into() });
        assert_eq!(answers.representative["eu"].contact, "https://rep.example/");
        assert_eq!(answers.representative["cn"].name, "代表");
        assert!(why("people", "林月").contains("a contact is missing"));
    }

    #[test]
    fn there_are_ten_questions_in_two_languages() {
        assert!(QUESTIONS.len() <= 10);
        for question in QUESTIONS {
            let labels = question.kind.choices().iter().map(|choice| choice.label);
            for text in labels.chain([question.asks, question.help]) {
                assert!(!text.zh.is_empty() && !text.en.is_empty(), "{}", question.id);
            }
        }
    }

    #[test]
    fn every_choice_is_a_word_that_a_file_of_answers_may_have() {
        let words = |id: &str| ask(id).kind.choices().iter().map(|choice| choice.word).collect::<Vec<_>>();
        assert!(words("serves").iter().all(|word| Served::find(word).is_some()));
        assert_eq!(words("serves").len(), Served::ALL.len());
        assert!(words("sells_on").iter().all(|word| Channel::find(word).is_some()));
        assert!(words("does").iter().all(|word| Doing::find(word).is_some()));
        assert_eq!(words("does").len(), Doing::ALL.len());
    }

    #[test]
    fn a_shop_abroad_is_told_where_somebody_has_to_stand_for_it() {
        let answers = Answers {
            serves: vec![Served::Cn, Served::Eu, Served::Sg],
            established_in: "us".into(),
            ..Answers::default()
        };
        let today = jiff::civil::date(2026, 11, 28);
        let packs = &rulebook::built_in().packs;
        let hint = ask("people").hint(&answers, today, packs).unwrap();
        assert!(hint.en.contains("in: cn, eu;"), "{}", hint.en);
        let at_home = Answers { serves: vec![Served::Cn], established_in: "cn".into(), ..Answers::default() };
        assert_eq!(ask("people").hint(&at_home, today, packs), None);
    }
}
