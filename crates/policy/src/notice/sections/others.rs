//! Who else gets data: recipients, whether it is sold, and where it goes abroad.

use super::{Block, Line, Scribe, table};
use crate::model::{Recipient, RouteAbroad};
use crate::notice::required::{LINK_SALE, Required};
use crate::record::both;
use crate::text::Place;
use crate::words::{Consideration, RecipientKind, RecipientRole, Route};
use rulebook::Pack;
use std::collections::BTreeSet;

pub(super) fn recipients(scribe: &Scribe<'_>) -> Vec<Block> {
    let recipients = scribe.used_recipients();
    if recipients.is_empty() {
        return vec![Block::Paragraph(
            scribe.say("Nobody outside the shop gets your data.", "我们不向店外任何人提供您的个人信息。"),
        )];
    }
    let columns = vec![
        scribe.say("Company", "接收方名称"),
        scribe.say("What it does for us", "服务类型"),
        scribe.say("Which data", "共享的信息"),
        scribe.say("Why", "使用目的"),
        scribe.say("Acts", "处理身份"),
        scribe.say("Where", "所在地"),
        scribe.say("Keeps it", "保存期限"),
        scribe.say("Contact", "联系方式"),
    ];
    let rows = recipients.iter().map(|recipient| row(scribe, recipient)).collect();
    let caption = scribe.say("Everybody outside the shop who gets data", "个人信息共享清单");
    let only = scribe.say(
        "Each gets only what stands in its row, and only while an agreement with it is in force.",
        "各接收方只会收到其所在行列明的信息，且仅在双方协议有效期间提供。",
    );
    vec![table(caption, columns, rows), Block::Paragraph(only)]
}

fn row(scribe: &Scribe<'_>, recipient: &Recipient) -> Vec<Vec<Line>> {
    let purposes = scribe.purposes_of(recipient);
    let kept = recipient.keep.as_ref().zip(purposes.first()).map(|(keep, first)| scribe.after(keep, first));
    vec![
        vec![scribe.text(&recipient.title)],
        vec![scribe.words(kind(recipient.kind))],
        vec![shared(scribe, recipient)],
        purposes.iter().map(|purpose| scribe.text(&purpose.says)).collect(),
        vec![role(scribe, recipient)],
        vec![scribe.country(&recipient.place)],
        kept.into_iter().collect(),
        recipient.contact.iter().map(|contact| Line::contact(contact)).collect(),
    ]
}

/// What it does, as people say it.
const fn kind(kind: RecipientKind) -> crate::record::Words {
    match kind {
        RecipientKind::Logistics => both("logistics", "物流服务"),
        RecipientKind::Payment => both("payment", "支付结算"),
        RecipientKind::Marketing => both("advertising", "营销推广"),
        RecipientKind::Marketplace => both("marketplace", "电商平台"),
        RecipientKind::Processor => both("works for us", "受托处理"),
        RecipientKind::Authority => both("public authority", "公共机关"),
        RecipientKind::Other => both("other", "其他"),
    }
}

/// Every field that it gets for some purpose, once.
fn shared(scribe: &Scribe<'_>, recipient: &Recipient) -> Line {
    let mut told = BTreeSet::new();
    let purposes = scribe.purposes_of(recipient).into_iter();
    let fields = purposes.flat_map(|purpose| scribe.fields(purpose)).map(|(field, _)| *field);
    let new = fields.filter(|field| told.insert(&field.name));
    scribe.list(new.map(|field| scribe.text(&field.label)))
}

fn role(scribe: &Scribe<'_>, recipient: &Recipient) -> Line {
    match (recipient.kind, recipient.acts_as) {
        (RecipientKind::Authority, _) => scribe.say("as the law tells it to", "依法履行职责"),
        (_, RecipientRole::Processor) => scribe.say("on our instructions only", "受我们委托处理"),
        (_, RecipientRole::Handler) => scribe.say("by its own decision", "独立的个人信息处理者"),
    }
}

pub(super) fn sale(scribe: &Scribe<'_>, demands: &[Required]) -> Vec<Block> {
    let mut blocks = paid(scribe);
    if demands.iter().any(|demand| demand.en == LINK_SALE) {
        blocks.push(Block::Paragraph(scribe.fill(
            "For people in California: {0}.",
            "加利福尼亚州居民：{0}。",
            &[scribe.link(
                "Do Not Sell or Share My Personal Information",
                "请勿出售或共享我的个人信息（Do Not Sell or Share My Personal Information）",
                scribe.edition.links.choices,
            )],
        )));
    }
    blocks
}

/// Whether anybody gives something for data.
fn paid(scribe: &Scribe<'_>) -> Vec<Block> {
    let payers = scribe.payers();
    if payers.is_empty() {
        return vec![Block::Paragraph(scribe.say(NO_SALE.0, NO_SALE.1))];
    }
    let gets_data = |recipient: &&Recipient| !scribe.purposes_of(recipient).is_empty();
    let payers: Vec<&Recipient> = payers.into_iter().filter(gets_data).collect();
    if payers.is_empty() {
        return vec![Block::Paragraph(scribe.say(
            "Nobody who would give us something for data gets any at present.",
            "目前，没有向任何支付对价的接收方提供个人信息。",
        ))];
    }
    let said = |recipient: &&Recipient| {
        let what = match recipient.consideration {
            Consideration::Exchange => scribe.say("something of value that is not money", "非金钱的其他利益"),
            Consideration::Sale | Consideration::None => scribe.say("money", "金钱"),
        };
        scribe.fill(
            "{0} gives us {1} for: {2}",
            "{0}：以{1}换取下列信息：{2}",
            &[scribe.text(&recipient.title), what, shared(scribe, recipient)],
        )
    };
    let begin = scribe.say(
        "Yes. For some of your data we get something in return:",
        "是。我们提供以下个人信息时会获得对价：",
    );
    let stop = scribe.fill(
        "You can stop that at any time: {0}.",
        "您可以随时停止：{0}。",
        &[scribe.link("My choices", "我的选择", scribe.edition.links.choices)],
    );
    let list = Block::List(payers.iter().map(said).collect());
    vec![Block::Paragraph(begin), list, Block::Paragraph(stop)]
}

/// Said only where it is true: where no recipient gives anything for data.
const NO_SALE: (&str, &str) = (
    "We do not sell personal data, and we give it to nobody in return for anything else of value.",
    "我们不出售个人信息，也不以个人信息换取其他任何利益。",
);

pub(super) fn abroad(scribe: &Scribe<'_>) -> Vec<Block> {
    let shop = &scribe.policy.shop;
    let mut blocks = vec![Block::Paragraph(scribe.fill(
        "We keep your data in: {0}.",
        "我们将您的个人信息存放在：{0}。",
        &[scribe.country(&shop.kept_in)],
    ))];
    let from_here = scribe.abroad_under(&shop.kept_in);
    if !from_here.is_empty() {
        blocks.push(Block::Paragraph(scribe.fill(
            "For people protected by the law of these places, that is abroad: {0}. You give your data directly to us there.",
            "对受以下国家或地区法律保护的人士而言，该存放地在境外：{0}。您的信息由您直接提供给我们。",
            &[scribe.list(from_here.iter().map(|law| scribe.law(law)))],
        )));
    }
    let recipients = scribe.used_recipients();
    let rows: Vec<Vec<Vec<Line>>> =
        recipients.iter().filter_map(|recipient| abroad_row(scribe, recipient)).collect();
    if rows.is_empty() {
        let recipients = if recipients.is_empty() {
            scribe.say("Nobody abroad gets it from us.", "我们不向境外提供您的个人信息。")
        } else {
            scribe.say(
                "None of those who get data from us is abroad.",
                "所有接收方均在境内，我们不向境外提供您的个人信息。",
            )
        };
        blocks.push(Block::Paragraph(recipients));
        return blocks;
    }
    let columns = vec![
        scribe.say("Recipient", "接收方"),
        scribe.say("Country", "所在国家或地区"),
        scribe.say("What protects the data of people in", "对各地用户的出境保障"),
        scribe.say("Which data", "提供的信息"),
        scribe.say("Why", "目的"),
        scribe.say("Contact", "联系方式"),
    ];
    let caption = scribe.say("Data that goes abroad", "个人信息出境清单");
    blocks.push(table(caption, columns, rows));
    blocks.push(Block::Paragraph(scribe.fill(
        "You can use your rights against each of them as well: write to its contact above, or to us, and we see to it that it \
         is done. On request we send you a copy of the contract or of the other safeguards: {0}.",
        "您也可以向境外接收方行使权利：通过上表中的联系方式直接联系对方，或者联系我们，由我们督促落实。如需合同或其他保障措施的副本，\
         请联系：{0}。",
        &[Line::contact(&shop.officer.contact)],
    )));
    blocks
}

/// A recipient that is abroad under some law, with what protects the data under each; `None` for one that is not.
fn abroad_row(scribe: &Scribe<'_>, recipient: &Recipient) -> Option<Vec<Vec<Line>>> {
    let mut by_route: Vec<(Option<Route>, Vec<&Pack>)> = Vec::new();
    for law in scribe.abroad_under(&recipient.place) {
        let route = route_under(&recipient.routes, law);
        match by_route.iter_mut().find(|(known, _)| *known == route) {
            Some((_, laws)) => laws.push(law),
            None => by_route.push((route, vec![law])),
        }
    }
    if by_route.is_empty() {
        return None;
    }
    let protects = |(route, laws): &(Option<Route>, Vec<&Pack>)| {
        let laws = scribe.list(laws.iter().map(|law| scribe.law(law)));
        let safeguard = match route {
            Some(route) => scribe.words(safeguard(*route)),
            None => scribe.say("nothing is named yet", "尚未列明"),
        };
        scribe.fill("{0}: {1}", "{0}：{1}", &[laws, safeguard])
    };
    Some(vec![
        vec![scribe.text(&recipient.title)],
        vec![scribe.country(&recipient.place)],
        by_route.iter().map(protects).collect(),
        vec![shared(scribe, recipient)],
        scribe.purposes_of(recipient).iter().map(|purpose| scribe.text(&purpose.says)).collect(),
        recipient.contact.iter().map(|contact| Line::contact(contact)).collect(),
    ])
}

/// The route that the file names under a law.
fn route_under(routes: &[RouteAbroad], law: &Pack) -> Option<Route> {
    let is_of = |place: &Place| place.as_str() == law.id || !Scribe::is_abroad(law, place);
    let its = routes.iter().find(|route| route.law.as_ref().is_some_and(is_of));
    its.or_else(|| routes.iter().find(|route| route.law.is_none())).map(|route| route.route)
}

/// A route, as somebody reads it who is no lawyer.
const fn safeguard(route: Route) -> crate::record::Words {
    match route {
        Route::Exempt => {
            both("the law asks for none: it is needed for what you ordered", "依法豁免：为履行您的订单所必需")
        }
        Route::Adequacy => {
            both("a decision that the country protects data well enough", "主管机构已认定该地提供充分保护")
        }
        Route::StandardContract => {
            both("the standard contract that the authority has laid down", "主管机构制定的标准合同")
        }
        Route::Certification => both("a certificate of data protection", "个人信息保护认证"),
        Route::BindingRules => both("binding rules within its group of companies", "有约束力的公司规则"),
        Route::SecurityAssessment => {
            both("a security assessment by the authority", "通过国家网信部门的数据出境安全评估")
        }
        Route::AssessmentFiling => {
            both("an assessment that was filed with the authority", "已向主管机构备案的影响评估")
        }
        Route::ComparableContract => {
            both("a contract that asks for the same protection as here", "要求提供同等保护的合同")
        }
        Route::Consent => both("your consent", "您的同意"),
    }
}
