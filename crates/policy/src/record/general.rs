//! The sheet of what holds for the whole shop, and the notes of a record.

use super::scribe::Scribe;
use super::{Cell, Column, Law, Row, Sheet, Words, both, cites, words};
use crate::law::{Citation, Confidence};

/// A row for each item: what it is, and what there is to say.
pub(super) fn sheet(scribe: &Scribe<'_>) -> Sheet {
    let row = |item: &Item| {
        let title = item.title.of(scribe.language);
        let cites = match scribe.law {
            Law::Gdpr30 => item.gdpr,
            Law::Cn => item.cn,
        };
        let cites = Some(scribe.cite(cites)).filter(|cites| !cites.is_empty());
        let article = Cell::Known(cites.unwrap_or_else(|| String::from("–")));
        Row {
            key: item.key.to_owned(),
            title: title.to_owned(),
            cells: vec![Cell::Known(title.to_owned()), (item.fill)(scribe), article],
        }
    };
    let column = |key, title, width| Column { key, title, cites: &[], width };
    Sheet {
        key: "general",
        title: both("General", "总体情况"),
        columns: vec![
            column("item", both("Item", "项目"), 34),
            column("content", both("Content", "内容"), 90),
            column("article", both("Article", "条款"), 26),
        ],
        rows: ITEMS.iter().map(row).collect(),
    }
}

struct Item {
    key: &'static str,
    title: Words,
    gdpr: &'static [Citation],
    cn: &'static [Citation],
    fill: fn(&Scribe<'_>) -> Cell,
}

const fn item(
    key: &'static str,
    title: Words,
    gdpr: &'static [Citation],
    cn: &'static [Citation],
    fill: fn(&Scribe<'_>) -> Cell,
) -> Item {
    Item { key, title, gdpr, cn, fill }
}

const ITEMS: &[Item] = &[
    item("controller", both("Controller", "个人信息处理者"), cites::GDPR_WHO, cites::PIPL_NOTICE, controller),
    item("address", both("Address", "地址"), cites::GDPR_WHO, cites::PIPL_NOTICE, address),
    item("established_in", both("Established in", "设立地"), &[], &[], established_in),
    item(
        "representative",
        both("Representative", "境内代表"),
        cites::GDPR_REPRESENTATIVE,
        cites::PIPL_REPRESENTATIVE,
        representative,
    ),
    item("joint", both("Joint controllers", "共同处理者"), cites::GDPR_JOINT, cites::PIPL_JOINT, joint),
    item(
        "officer",
        both("Privacy officer", "个人信息保护负责人"),
        cites::GDPR_WHO,
        cites::PIPL_OFFICER,
        officer,
    ),
    item("serves", both("Serves consumers in", "服务的消费者所在地"), &[], &[], serves),
    item("kept_in", both("Data are kept in", "数据存储地"), &[], &[], kept_in),
    item(
        "measures",
        both("Security measures of Strongroom", "Strongroom的安全措施"),
        cites::GDPR_MEASURES,
        cites::PIPL_MEASURES,
        measures,
    ),
    item(
        "other_measures",
        both("Security measures outside of Strongroom", "Strongroom以外的安全措施"),
        cites::GDPR_MEASURES,
        cites::PIPL_MEASURES,
        other_measures,
    ),
    item(
        "other_systems",
        both("Processing outside of Strongroom", "Strongroom以外的处理"),
        &[],
        &[],
        other_systems,
    ),
    item("review", both("Review of the policy", "政策复核"), &[], &[], |scribe| {
        Cell::Known(scribe.review(scribe.policy.shop.reviewed, scribe.policy.shop.review))
    }),
];

fn controller(scribe: &Scribe<'_>) -> Cell {
    Cell::Known(scribe.text(&scribe.policy.shop.name).to_owned())
}

fn address(scribe: &Scribe<'_>) -> Cell {
    match &scribe.policy.shop.address {
        Some(address) => Cell::Known(address.clone()),
        None => scribe.task("the postal address of the shop", "店铺的通信地址"),
    }
}

fn established_in(scribe: &Scribe<'_>) -> Cell {
    Cell::Known(scribe.country(&scribe.policy.shop.established_in))
}

fn representative(scribe: &Scribe<'_>) -> Cell {
    let shop = &scribe.policy.shop;
    let (law, is_at_home) = match scribe.law {
        Law::Gdpr30 => ("eu", crate::lawful::is_home("eu", shop.established_in.country())),
        Law::Cn => ("cn", shop.established_in.country() == "cn"),
    };
    let named = shop.representatives.iter().find(|one| crate::lawful::is_home(law, one.place.country()));
    if let Some(named) = named {
        return Cell::Known(scribe.list(&[&named.name, &named.contact]));
    }
    if is_at_home {
        return scribe.known("none needed: the shop has its seat there", "不需要：店铺设立于此");
    }
    match scribe.law {
        Law::Gdpr30 => scribe.task(
            "name and contact of the representative in the Union; or why none is needed",
            "欧盟代表的名称和联系方式；或不需要的理由",
        ),
        Law::Cn => scribe.task(
            "name and contact of the agency or representative in mainland China",
            "境内专门机构或指定代表的名称和联系方式",
        ),
    }
}

fn joint(scribe: &Scribe<'_>) -> Cell {
    scribe.task(
        "joint controllers with their contacts, and for which activities; or none",
        "共同处理者的名称、联系方式和所涉处理活动；如无，请写明",
    )
}

fn officer(scribe: &Scribe<'_>) -> Cell {
    let officer = &scribe.policy.shop.officer;
    Cell::Known(scribe.list(&[&officer.name, &officer.contact]))
}

fn serves(scribe: &Scribe<'_>) -> Cell {
    let places: Vec<String> = scribe.policy.shop.serves.iter().map(|place| scribe.country(place)).collect();
    Cell::Known(scribe.list(&places))
}

fn kept_in(scribe: &Scribe<'_>) -> Cell {
    Cell::Known(scribe.country(&scribe.policy.shop.kept_in))
}

/// What Strongroom does by itself with what is kept in it.
fn measures(scribe: &Scribe<'_>) -> Cell {
    let each: Vec<&str> = MEASURES.iter().map(|measure| measure.of(scribe.language)).collect();
    Cell::Known(each.join("\n"))
}

// SOURCE: docs/adr 0003 (sealing), 0004 (ledger), 0014 (permits), 0017 (epochs), 0019 (terms), and docs/guide/limits.md.
const MEASURES: &[Words] = &[
    both(
        "Each field is encrypted by itself, under keys of the person it is about.",
        "逐字段加密，密钥按个人各自独立。",
    ),
    both(
        "Data are opened for a named purpose only, by credentials that have it; what the person chose is asked each time.",
        "仅凭具备相应目的的凭证、为列明的目的打开数据；每次均核对本人的选择。",
    ),
    both(
        "Whoever need not see a value in full sees it masked.",
        "无需查看完整内容的人员只能看到脱敏后的值。",
    ),
    both(
        "Each credential reaches so many persons an hour and a day, and is frozen when it reaches for more.",
        "每个凭证每小时、每天可接触的人数有限，超出即冻结。",
    ),
    both(
        "Every act is entered in a ledger that only grows and whose state is signed.",
        "所有操作均记入只增不减的账本，其状态经签名。",
    ),
    both(
        "What no purpose keeps is dropped before it is stored.",
        "没有任何目的需要的数据，在存储之前即被丢弃。",
    ),
    both(
        "Data are erased by destroying their keys: of a person at their word, and of what is over on the next Monday, 00:00 UTC.",
        "通过销毁密钥删除数据：个人要求删除时销毁其密钥；期限届满的，于下一个星期一00:00（UTC）销毁。",
    ),
    both(
        "Older copies cannot be opened any more once the epoch has ended in which they were made.",
        "备份所属的密钥周期结束后，旧备份无法再打开。",
    ),
];

fn other_measures(scribe: &Scribe<'_>) -> Cell {
    scribe.task(
        "what protects data outside of Strongroom: premises, machines, staff and their training",
        "Strongroom以外的保护措施：场所、设备、人员及其培训",
    )
}

fn other_systems(scribe: &Scribe<'_>) -> Cell {
    scribe.task(
        "what the shop does with personal data that are not kept in Strongroom, such as those of its staff; or nothing",
        "店铺对未存入Strongroom的个人信息（例如员工信息）的处理；如无，请写明",
    )
}

/// What whoever relies on the record has to know.
pub(super) fn notes(scribe: &Scribe<'_>, sheets: &[Sheet]) -> Vec<String> {
    let mut notes = vec![
        scribe.say(
            "Drawn up from the policy file alone. What it does not say stands here as a task for a person, and nothing is made up.",
            "本记录仅依据政策文件生成。文件未载明的内容均列为待人工填写的事项，未作任何推测。",
        ),
        scribe.say(
            "It speaks of the data that are kept in Strongroom by this policy. No legal advice.",
            "仅涉及按本政策存入Strongroom的数据。不构成法律意见。",
        ),
    ];
    notes.extend(not_served(scribe));
    notes.extend(not_translated(scribe));
    notes.extend(sureness(scribe, sheets));
    notes
}

/// The shop names nobody whom this law protects.
fn not_served(scribe: &Scribe<'_>) -> Option<String> {
    let serves_some = scribe.policy.shop.serves.iter().any(|place| !scribe.is_outside(place));
    (!serves_some).then(|| match scribe.law {
        Law::Gdpr30 => scribe.say(
            "The policy serves no country of the EEA: a person judges whether the GDPR applies at all.",
            "政策服务的地区不含欧洲经济区国家：GDPR是否适用须由人工判断。",
        ),
        Law::Cn => scribe.say(
            "The policy does not serve mainland China: a person judges whether PIPL applies at all.",
            "政策服务的地区不含中国境内：《个人信息保护法》是否适用须由人工判断。",
        ),
    })
}

/// The policy does not speak the record's language.
fn not_translated(scribe: &Scribe<'_>) -> Option<String> {
    let mut languages = scribe.policy.shop.languages.iter();
    let speaks =
        languages.any(|language| language.as_str().split('-').next() == Some(scribe.language.as_str()));
    let first = scribe.policy.shop.languages.first()?;
    (!speaks).then(|| {
        scribe.say(
            format!(
                "The policy's texts do not exist in English: they stand here in its first language, {first}."
            ),
            format!("政策文本没有中文版本：此处按其首选语言（{first}）列出。"),
        )
    })
}

/// How sure we are of each law that is cited, by a column or for a field.
fn sureness(scribe: &Scribe<'_>, sheets: &[Sheet]) -> Vec<String> {
    let columns = sheets.iter().flat_map(|sheet| &sheet.columns).flat_map(|column| column.cites);
    let fields = scribe.policy.fields.iter().flat_map(|field| field.sensitive_by);
    let mut seen: Vec<(&str, Confidence)> = Vec::new();
    for cite in columns.chain(fields) {
        if !seen.contains(&(cite.law, cite.confidence)) {
            seen.push((cite.law, cite.confidence));
        }
    }
    let note = |(law, confidence)| {
        let (law, sure) =
            (words::law(law, scribe.language), words::confidence(confidence).of(scribe.language));
        scribe.say(format!("{law}, as it is cited here: {sure}."), format!("此处所引{law}：{sure}。"))
    };
    seen.into_iter().map(note).collect()
}
