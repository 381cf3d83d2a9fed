//! What is left for people to do: whatever a file cannot show, with where it stands.

use super::choices::{Doing, PartnerRole, Served};
use super::known::Known;
use super::law::{Law, cites};
use super::plan::{Plan, Recipient};
use super::words;
use super::write::clockwork;
use crate::lawful::is_home;
use crate::words::{Channel, RecipientRole, Route};
use rulebook::Words;
use serde::Serialize;

/// Something for a person to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Task {
    /// What it is, `agreement` or `agreement.courier`: the same answers give the same ids.
    pub id: String,
    /// What to do.
    pub text: Words,
    /// Where it stands in law, with how sure that is; nothing where no pack has a rule.
    pub cites: Vec<String>,
    /// The key of the policy that is filled in once it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// What is left to do for a policy, in the order in which it is best done.
pub(super) fn tasks(known: &Known, plan: &Plan, law: Law<'_>) -> Vec<Task> {
    let mut list = List { known, law, tasks: Vec::new() };
    facts(known, &mut list);
    people(known, plan, &mut list);
    partners(known, plan, &mut list);
    papers(known, plan, &mut list);
    doings(known, plan, &mut list);
    markets(known, &mut list);
    notice(known, &mut list);
    list.tasks
}

struct List<'k> {
    known: &'k Known,
    law: Law<'k>,
    tasks: Vec<Task>,
}

impl List<'_> {
    /// Adds a task. Of the rules (`pack rule`) those are cited whose law applies to the shop.
    fn add(&mut self, id: impl Into<String>, text: Words, rules: &[&str]) -> &mut Self {
        let applies = |rule: &&&str| {
            let pack = rule.split_once(' ').map_or(**rule, |(pack, _)| pack);
            Served::find(pack)
                .is_none_or(|law| self.known.serves(law) || is_home(pack, self.known.seat.country()))
        };
        let rules: Vec<&str> = rules.iter().filter(applies).copied().collect();
        self.tasks.push(Task { id: id.into(), text, cites: cites(&rules, self.law), key: None });
        self
    }

    /// Says which key of the policy the task that was added last fills in.
    fn key(&mut self, key: impl Into<String>) {
        if let Some(task) = self.tasks.last_mut() {
            task.key = Some(key.into());
        }
    }
}

/// What the answers left open.
fn facts(known: &Known, list: &mut List<'_>) {
    list.add(
        "read",
        words(
            "发布前请通读全文：`reviewed` 写的是生成之日，请改为真正读完的那一天。",
            "Read the whole file before it is published: `reviewed` has the day on which it was made; write the one on which it was read.",
        ),
        &[],
    )
    .key("shop.reviewed");
    if known.name.zh == known.name.en {
        list.add(
            "name",
            words(
                "店名的中英文相同：请确认，或补上另一种语言的名称。",
                "The shop has one name in both languages: confirm it, or add the other.",
            ),
            &[],
        )
        .key("shop.name");
    }
    if known.address.is_none() {
        list.add(
            "address",
            words(
                "补上经营者名称和地址：隐私政策须写明处理者身份。",
                "Add the name of the business and its address: a notice says who you are.",
            ),
            &["cn notice.17", "eu notice.13"],
        )
        .key("shop.address");
    }
    if !clockwork(known).is_sure {
        list.add(
            "zone",
            words("核对时区和电话区号：所在地有多个时区或未收录，此处为推定。", "Check the time zone and the region of phone numbers: your seat has several, or is not known, and these were guessed."),
            &[],
        )
        .key("shop.zone");
    }
    kept_abroad(known, list);
}

/// The data of some of its consumers is kept in another country than theirs.
fn kept_abroad(known: &Known, list: &mut List<'_>) {
    let is_abroad = |law: &&Served| !is_home(law.as_str(), known.kept_in.country());
    let abroad: Vec<&str> = known.serves.iter().filter(is_abroad).map(|law| law.as_str()).collect();
    if abroad.is_empty() {
        return;
    }
    let (to, of) = (known.kept_in.as_str(), abroad.join(", "));
    list.add(
        "kept_abroad",
        words(
            format!("以下地方消费者的数据保存在其境外（{to}）：{of}。请由律师确认这是否属于出境或跨境传输、走哪条路径，并在隐私政策中告知。"),
            format!("Data of consumers from these places is kept abroad for them, in {to}: {of}. Let counsel say whether that is a transfer and which route it takes, and tell it in the notice."),
        ),
        &["cn transfer.always", "eu transfer.notice", "sg transfer.comparable", "vn transfer.dossier"],
    )
    .key("shop.kept_in");
}

/// Officers and representatives.
fn people(known: &Known, plan: &Plan, list: &mut List<'_>) {
    if known.serves(Served::Sg) || known.serves(Served::Vn) {
        list.add(
            "officer",
            words(
                "以书面形式任命个人信息保护负责人：新加坡、越南不论规模均须设立。",
                "Appoint the officer in writing: Singapore and Vietnam want one of every shop, whatever its size.",
            ),
            &["sg officer.always", "vn officer.always"],
        )
        .key("shop.officer");
    }
    if known.serves(Served::Cn) && known.persons >= 1_000_000 {
        list.add(
            "officer.cn",
            words(
                "处理100万人以上个人信息：指定负责人，公开其联系方式，并在达到该数量之日起30个工作日内向网信部门报送。",
                "With data of a million persons or more: appoint the officer, publish how to reach them, and file that with the cyberspace administration within 30 working days of reaching the number.",
            ),
            &["cn officer.required"],
        )
        .key("shop.officer");
    }
    for law in &plan.representatives {
        representative(*law, known, list);
    }
}

fn representative(law: Served, known: &Known, list: &mut List<'_>) {
    let is_named = known.representatives.keys().any(|place| place.as_str() == law.as_str());
    let (zh, en) = match (law, is_named) {
        (Served::Cn, true) => (
            "将境内代表或专门机构的名称和联系方式报送所在地网信部门。",
            "File the name and contact of the representative in China with the cyberspace administration.",
        ),
        (_, true) => (
            "以书面形式委任代表，并保存委任书。",
            "Appoint the representative in writing, and keep the mandate.",
        ),
        (_, false) => (
            "指定代表或设立专门机构，填入文件；在此之前该法律的要求没有满足。",
            "Name somebody who stands for you, and fill them in; until then the law there is not kept.",
        ),
    };
    let rule = if law == Served::Eu { "eu representative.name" } else { "cn representative.abroad" };
    list.add(format!("representative.{law}"), words(format!("{law}：{zh}"), format!("{law}: {en}")), &[rule])
        .key(format!("shop.representative.{law}"));
}

/// Partners who were not named, agreements, contacts.
fn partners(known: &Known, plan: &Plan, list: &mut List<'_>) {
    for role in PartnerRole::ALL {
        if is_missing(*role, known, plan) {
            list.add(
                format!("partner.{role}"),
                words(
                    format!("尚未填写`{role}`：确定后补入答案重新生成，或手工加上 [recipient.…] 及其目的；在此之前不会提供任何数据。"),
                    format!("`{role}` is not named yet: make the policy anew with it, or add [recipient.…] and its purpose by hand; until then nothing is shared."),
                ),
                &[],
            );
        }
    }
    for recipient in &plan.recipients {
        one_recipient(recipient, list);
    }
}

fn is_missing(role: PartnerRole, known: &Known, plan: &Plan) -> bool {
    let is_wanted = match (role, role.channel()) {
        (_, Some(channel)) => known.sells_on.contains(&channel),
        (PartnerRole::Payment, None) => known.has_own_shop(),
        (PartnerRole::CustomsBroker, None) => known.has(Doing::Customs),
        (PartnerRole::AdPartner, None) => known.has(Doing::AdPartner),
        (_, None) => true,
    };
    is_wanted && !plan.recipients.iter().any(|recipient| recipient.role == role)
}

fn one_recipient(recipient: &Recipient, list: &mut List<'_>) {
    let name = &recipient.name;
    if !recipient.is_named {
        list.add(
            format!("company.{name}"),
            words(
                format!("核对 `{name}`：与您签约的是哪家公司、在哪个国家或地区？此处推定为中国境内。"),
                format!("Check `{name}`: with which company, in which country, is your contract? China is taken here."),
            ),
            &[],
        )
        .key(format!("recipient.{name}.in"));
    }
    let rules: &[&str] = match recipient.role.acts_as() {
        RecipientRole::Processor => &[
            "cn contract.processor",
            "eu contract.processor",
            "us-ca contract.provider",
            "sg contract.intermediary",
        ],
        RecipientRole::Handler => &["cn contract.handler", "us-ca contract.third-party"],
    };
    list.add(
        format!("agreement.{name}"),
        words(
            format!("与 `{name}` 签订数据处理协议，然后写上签订日期；在此之前不会向其提供任何数据。"),
            format!(
                "Sign an agreement on data with `{name}`, then write its day; until then it gets nothing."
            ),
        ),
        rules,
    )
    .key(format!("recipient.{name}.agreement"));
    if recipient.contact.is_none() || !recipient.is_named {
        list.add(
            format!("contact.{name}"),
            words(
                format!("补上或核对 `{name}` 的联系方式：隐私政策须告知接收方的名称和联系方式。"),
                format!("Add how people reach `{name}`, or look whether it is right: a notice names recipients and how to reach them."),
            ),
            &["cn notice.share", "eu notice.13"],
        )
        .key(format!("recipient.{name}.contact"));
    }
}

/// What has to be signed, filed or assessed.
fn papers(known: &Known, plan: &Plan, list: &mut List<'_>) {
    let mut laws: Vec<&str> = Vec::new();
    for (law, _) in plan.recipients.iter().flat_map(|one| &one.routes) {
        if !laws.contains(&law.as_str()) {
            laws.push(law);
        }
    }
    for law in laws {
        for route in Route::ALL {
            let is_it = |(of, by): &(String, Route)| of == law && by == route;
            let reaches = |one: &&Recipient| one.routes.iter().any(is_it);
            let names: Vec<&str> =
                plan.recipients.iter().filter(reaches).map(|one| one.name.as_str()).collect();
            if !names.is_empty() {
                one_route(law, *route, &names.join(", "), list);
            }
        }
    }
    assessments(known, plan, list);
    if plan.books.is_none() {
        let seat = known.seat.as_str();
        list.add(
            "books",
            words(
                format!("查明经营主体所在地（{seat}）税法和会计法要求账簿、凭证保存多久，然后加上一个 `legal_obligation` 目的并写明法条：规则包没有该数字。"),
                format!("Find out how long tax and accounting law at your seat ({seat}) want books and vouchers kept, and add a purpose by `legal_obligation` with the article: no pack has the number."),
            ),
            &[],
        )
        .key("purpose.tax");
    }
    if known.serves(Served::Vn) {
        list.add(
            "basis.vn",
            words(
                "越南以同意为原则：请由律师确认履行合同、法定义务等目的属于第19条的例外，否则改为征得同意。",
                "In Vietnam consent is the rule: let counsel confirm that the purposes by contract and legal duty are exceptions of Article 19; else ask for consent.",
            ),
            &["vn basis.list"],
        );
    }
}

fn one_route(law: &str, route: Route, names: &str, list: &mut List<'_>) {
    let (zh, en, rules): (&str, &str, &[&str]) = match (law, route) {
        ("cn", Route::Exempt) => (
            "按豁免情形出境（跨境购物、寄递、支付等履行合同所必需，或数量未达门槛）：仍须告知、必要时取得单独同意，并作影响评估；并确认店铺不是关键信息基础设施运营者、没有重要数据。",
            "exempt (shopping, parcels and payment across the border, or too few persons): people are still told, asked apart where it rests on consent, and the impact is assessed; confirm that you are no operator of critical infrastructure and have no important data.",
            &["cn transfer.always", "cn transfer.exempt.contract"],
        ),
        ("cn", Route::SecurityAssessment) => (
            "向国家网信部门申报数据出境安全评估，通过后方可提供。",
            "apply to the cyberspace administration for a security assessment; nothing goes abroad before it is passed.",
            &["cn transfer.assessment", "cn transfer.assessment.apply", "cn transfer.always"],
        ),
        ("cn", _) => (
            "订立个人信息出境标准合同（或通过认证），自生效之日起10个工作日内向省级网信部门备案，附影响评估报告。",
            "sign the standard contract for exports (or be certified), and file it with the provincial cyberspace administration within 10 working days of its effect, with the assessment.",
            &["cn transfer.contract", "cn transfer.contract.file", "cn transfer.always"],
        ),
        ("eu", Route::Adequacy) => (
            "依充分性认定传输：在隐私政策中写明；认定失效即须改用其他路径。",
            "by an adequacy decision: say so in the notice, and look for another route should it end.",
            &["eu transfer.adequate", "eu transfer.notice"],
        ),
        ("eu", _) => (
            "签订欧盟标准合同条款（SCC 2021/914）并完成传输影响评估；若接收方在数据隐私框架名单上，可改为 adequacy。",
            "sign the standard contractual clauses (2021/914) and assess the law of the place; a recipient on the list of the Data Privacy Framework can have `adequacy` instead.",
            &["eu transfer.safeguards", "eu transfer.safeguards.duties", "eu transfer.notice"],
        ),
        ("sg", _) => (
            "在合同中约定与新加坡法相当的保护（或采用有约束力的公司规则、CBPR认证）。",
            "have a contract that gives protection comparable with Singapore's (or binding corporate rules, or a CBPR certificate).",
            &["sg transfer.comparable"],
        ),
        ("vn", _) => (
            "自首次传输之日起60日内向公安部A05提交跨境传输影响评估档案。",
            "file the dossier on transfers abroad with the Ministry of Public Security (A05) within 60 days of the first one.",
            &["vn transfer.dossier"],
        ),
        (_, _) => (
            "按该路径办理所在地法律要求的手续：参见 strongroom law。",
            "do what the law of your seat asks for on this route: see strongroom law.",
            &[],
        ),
    };
    list.add(
        format!("route.{law}.{route}"),
        words(format!("{law} → {names}：{zh}"), format!("{law} → {names}: {en}")),
        rules,
    );
}

fn assessments(known: &Known, plan: &Plan, list: &mut List<'_>) {
    let gives_away = plan.recipients.iter().any(|one| one.role.acts_as() == RecipientRole::Handler);
    if known.serves(Served::Cn) && (!plan.recipients.is_empty() || known.has(Doing::Customs)) {
        list.add(
            "assessment.cn",
            words(
                "事前进行个人信息保护影响评估（委托处理、向他人提供、出境、敏感个人信息），保存报告和处理记录至少三年；完成后在相应目的写上 `assessed`。",
                "Assess the impact beforehand (entrusting, giving to others, export, sensitive data) and keep report and record for at least three years; then write `assessed` into the purposes.",
            ),
            &["cn assessment.required", "cn retention.assessment"],
        );
    }
    if known.serves(Served::UsCa) && (known.has(Doing::Customs) || plan.has("ad_partner")) {
        list.add(
            "assessment.us-ca",
            words(
                "确认CCPA是否适用于您；适用的，须对共享、敏感信息处理进行风险评估。",
                "Find out whether the CCPA applies to you; if so, assess the risk of sharing and of sensitive data.",
            ),
            &["us-ca assessment.required"],
        );
    }
    if known.serves(Served::Vn) {
        list.add(
            "assessment.vn",
            words(
                "自首次处理之日起60日内向公安部A05提交处理影响评估档案，每六个月更新（中小企业或有豁免，请核实）。",
                "File the dossier on handling with the Ministry of Public Security (A05) within 60 days of the first handling, and renew it every six months (small companies may be exempt: check).",
            ),
            &["vn assessment.dossier"],
        );
    }
    if known.serves(Served::Eu) {
        list.add(
            "record.eu",
            words(
                "建立处理活动记录：店铺订单不属于偶发处理。",
                "Keep a record of processing: a shop's orders are not occasional.",
            ),
            &["eu assessment.record"],
        );
    }
    let reaches_china = |code: &str| matches!(code, "cn" | "hk" | "mo");
    let sees = reaches_china(known.kept_in.country())
        || reaches_china(known.seat.country())
        || plan.recipients.iter().any(|one| reaches_china(one.place.country()));
    if known.serves(Served::UsCa) && sees {
        list.add(
            "count.us-ca",
            words(
                "统计十二个月内有多少美国人的数据可由中国（含港澳）境内访问：达到美国司法部规则的数量即受限制。",
                "Count of how many US persons data can be reached from China, Hong Kong or Macao within twelve months: above the numbers of the Department of Justice's rule it is restricted.",
            ),
            &["us-ca transfer.concern"],
        );
    }
    if gives_away && known.serves(Served::Cn) {
        list.add(
            "separate_consent.cn",
            words(
                "在结账等页面单独征得同意：逐一告知接收方的名称、联系方式、目的、方式和种类，不与其他事项捆绑。依合同向自行决定处理目的者（平台、支付机构）提供的，法条同样要求单独同意，实务见解不一：从严为宜，请由律师确认。",
                "Ask for the separate consents where they are needed, at checkout say: each names the recipient, how to reach it, purpose, method and kinds of data, and is tied to nothing else. The article asks for one, too, where marketplaces and payment institutions get data by contract, and opinions differ: ask to be on the safe side, or let counsel decide.",
            ),
            &["cn consent.separate", "cn notice.share"],
        );
    }
}

/// What comes with what the shop does besides selling.
fn doings(known: &Known, plan: &Plan, list: &mut List<'_>) {
    if known.has(Doing::MarketingEmail) || known.has(Doing::MarketingSms) {
        list.add(
            "marketing",
            words(
                "每条营销信息都写明发送人，并提供方便的退订；同意的证据要留存。",
                "Every message says who sends it and has an easy way out; keep the proof of each consent.",
            ),
            &[
                "cn default.marketing",
                "eu default.marketing.duties",
                "us-ca default.marketing-email",
                "sg default.marketing",
                "vn default.ads",
            ],
        );
    }
    if known.has(Doing::MarketingSms) && known.serves(Served::Sg) {
        list.add(
            "registry.sg",
            words("向新加坡号码发短信前21日内查询谢绝来电登记册，或持有明确的书面同意。", "Check the Do Not Call Registry no longer than 21 days before a message to a number in Singapore, or have a clear consent in writing."),
            &["sg default.registry"],
        );
    }
    if known.has(Doing::MarketingSms) && known.serves(Served::Cn) {
        list.add(
            "sms.cn",
            words(
                "保存短信发送及订阅、退订记录至少五个月。",
                "Keep the records of messages, of subscribing and of leaving for at least five months.",
            ),
            &["cn retention.sms"],
        );
    }
    if known.has(Doing::Recommendation) {
        list.add(
            "recommendation",
            words(
                "在店铺中提供不针对个人特征的选项和便捷的关闭、删除标签方式；不得价格歧视。",
                "Offer what is not personalised, and an easy way to switch it off and to delete tags; no prices by person.",
            ),
            &["cn default.recommendation.off", "eu default.profiling"],
        );
    }
    if plan.has("ad_partner") && known.serves(Served::UsCa) {
        list.add(
            "link.us-ca",
            words("在店铺首页放置“不得出售或共享我的个人信息”链接，并识别浏览器的退出信号（GPC）。", "Put the link \"Do Not Sell or Share My Personal Information\" into the shop, and honour the opt-out signal of browsers (GPC)."),
            &["us-ca default.sale.link"],
        );
    }
    if known.has(Doing::Customs) {
        list.add(
            "customs",
            words(
                "向顾客说明为何需要身份证号及其影响；清关完成后不再使用；确认海关申报资料须保存多久。",
                "Tell customers why the identity number is needed and what it means for them; do not use it for anything else; find out how long customs papers have to be kept.",
            ),
            &["cn notice.sensitive", "us-ca notice.sensitive"],
        );
    }
    list.add(
        "minors",
        words(
            "在店铺中拒绝未成年人下单（文件写明不向其销售）；若改为接受，须取得监护人同意并制定专门规则。",
            "Turn minors away in the shop, as the file says; should you take them, a guardian consents, and rules of their own are written.",
        ),
        &["cn minor.guardian", "eu minor.below-13", "sg minor.guardian", "vn minor.guardian"],
    )
    .key("shop.minors");
}

/// What marketplaces ask.
fn markets(known: &Known, list: &mut List<'_>) {
    if known.sells_on.contains(&Channel::Taobao) || known.sells_on.contains(&Channel::Tmall) {
        list.add(
            "market.taobao",
            words(
                "淘宝、天猫：只通过解密接口、由有权限的人查看收件人，不落库明文；不得以OAID识别顾客。",
                "Taobao and Tmall: addressees are seen through the decryption interface only, by people with that permission, and not stored in plain; an OAID never identifies a customer.",
            ),
            &["taobao platform.decrypt", "taobao platform.merge.key"],
        );
    }
    let unread: [(Channel, &str, &str); 2] =
        [(Channel::Jd, "京东", "JD.com"), (Channel::TiktokShop, "TikTok Shop", "TikTok Shop")];
    for (channel, zh, en) in unread.into_iter().filter(|(channel, ..)| known.sells_on.contains(channel)) {
        list.add(
            format!("market.{channel}"),
            words(
                format!("{zh}：未找到其规则文档，请查阅与平台的协议，核对数据保存、解密和删除的要求。"),
                format!("{en}: no document with its rules was found; read your agreement with it for what it asks of keeping, decrypting and deleting."),
            ),
            &[],
        );
    }
}

/// Publishing.
fn notice(known: &Known, list: &mut List<'_>) {
    if known.serves(Served::Eu) || known.serves(Served::Vn) {
        list.add(
            "languages",
            words(
                "把文字译成顾客的语言（欧盟各成员国语言、越南语），由懂行的人校对，并加入 `languages`。",
                "Have the texts in the languages of your customers (of the member states, Vietnamese), read by somebody who knows both, and add them to `languages`.",
            ),
            &["eu notice.13"],
        )
        .key("shop.languages");
    }
    list.add(
        "notice",
        words(
            "在收集之前公布隐私政策，并放在容易找到的地方；加州须每12个月更新。",
            "Publish the notice where people find it before data is collected; California wants it renewed every 12 months.",
        ),
        &["cn notice.17", "eu notice.13", "us-ca notice.collection"],
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_that_a_task_cites_is_in_its_pack() {
        let source = include_str!("task.rs");
        let packs = ["cn", "eu", "us-ca", "sg", "vn", "taobao"];
        let is_rule = |text: &&str| {
            text.split_once(' ').is_some_and(|(pack, rule)| packs.contains(&pack) && !rule.contains(' '))
        };
        let named: Vec<&str> = source.split('"').filter(is_rule).collect();
        assert!(named.len() > 40, "{named:?}");
        let law = Law { packs: &rulebook::built_in().packs, on: jiff::civil::date(2026, 11, 28) };
        for rule in named {
            assert!(!cites(&[rule], law).is_empty(), "{rule}");
        }
    }
}
