//! What stands in the policy: purposes with the fewest fields that serve them, recipients with their routes, roles. Fields follow from purposes, so
//! that none is kept without one.

use super::choices::{Doing, PartnerRole, Served};
use super::known::{Known, KnownPartner};
use super::law::{self, Books, ExportFor, Law};
use super::said;
use crate::lawful::is_home;
use crate::period::Period;
use crate::text::Place;
use crate::words::{Basis, Route, Unit};
use jiff::civil::Date;
use rulebook::{Pack, Text, Words};

/// What stands in a policy.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) purposes: Vec<Purpose>,
    pub(super) recipients: Vec<Recipient>,
    /// How long books and orders have to be kept, where a pack knows it.
    pub(super) books: Option<Books>,
    /// The laws under which somebody has to stand for the shop.
    pub(super) representatives: Vec<Served>,
}

/// A purpose.
#[derive(Clone, Debug)]
pub(super) struct Purpose {
    pub(super) name: &'static str,
    pub(super) data_use: &'static str,
    pub(super) basis: Basis,
    pub(super) says: Text,
    /// Why it is written like this, for whoever reads the file.
    pub(super) note: Option<Text>,
    pub(super) uses: Vec<Use>,
    pub(super) keep: String,
    pub(super) must_keep: Option<String>,
    pub(super) at_most: Option<String>,
    pub(super) law: Option<String>,
    pub(super) recipients: Vec<String>,
    pub(super) role: Role,
}

/// One field of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) kind: Kind,
    pub(super) field: &'static str,
    pub(super) optional: bool,
}

/// The kinds of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Customer,
    Order,
}

/// Who uses a purpose inside the shop, in the order of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Warehouse,
    Support,
    Finance,
    Customs,
    Marketing,
}

/// A recipient.
#[derive(Clone, Debug)]
pub(super) struct Recipient {
    /// Its name in the file.
    pub(super) name: String,
    pub(super) role: PartnerRole,
    pub(super) title: Words,
    pub(super) place: Place,
    pub(super) contact: Option<String>,
    /// The way that data takes to it, by the law that asks.
    pub(super) routes: Vec<(String, Route)>,
    /// Does it take a consent of its own to give it data?
    pub(super) is_by_consent: bool,
    /// Was it named, or is it taken to be the market's usual company?
    pub(super) is_named: bool,
}

impl Plan {
    /// The recipients that are wanted, by their names in the file.
    fn names(recipients: &[Recipient], wanted: impl Fn(&Recipient) -> bool) -> Vec<String> {
        recipients.iter().filter(|one| wanted(one)).map(|one| one.name.clone()).collect()
    }

    /// Does some purpose use this field in this kind?
    pub(super) fn uses(&self, kind: Kind, field: &str) -> bool {
        self.purposes
            .iter()
            .flat_map(|purpose| &purpose.uses)
            .any(|one| one.kind == kind && one.field == field)
    }

    /// Has it this purpose?
    pub(super) fn has(&self, purpose: &str) -> bool {
        self.purposes.iter().any(|known| known.name == purpose)
    }
}

/// Plans a policy. Takes what is known, and the law that is asked.
pub(super) fn plan(known: &Known, law: Law<'_>) -> Plan {
    let laws = law::laws(&known.serves, &known.seat, law);
    let recipients = recipients(known, &laws, law.on);
    let books = law::books(&laws, &known.seat, law.on);
    let mut purposes = selling(known, &recipients);
    purposes.extend(books.as_ref().map(tax));
    purposes.extend(besides(known, &recipients));
    let needs = |served: &Served| law::needs_representative(*served, &known.seat, law);
    Plan {
        purposes,
        recipients,
        books,
        representatives: known.serves.iter().copied().filter(needs).collect(),
    }
}

fn recipients(known: &Known, laws: &[&Pack], on: Date) -> Vec<Recipient> {
    let mut all: Vec<Recipient> = Vec::new();
    for role in PartnerRole::ALL {
        let named: Vec<&KnownPartner> =
            known.partners.iter().filter(|partner| partner.role == *role).collect();
        for (number, partner) in named.iter().enumerate() {
            let name = match number {
                0 => role.to_string(),
                more => format!("{role}-{}", more.saturating_add(1)),
            };
            all.push(Recipient {
                name,
                role: *role,
                title: partner.name.clone(),
                place: partner.place.clone(),
                contact: partner.contact.clone(),
                routes: routes(known, laws, *role, &partner.place, on),
                is_by_consent: is_by_consent(known, laws, &partner.place, on),
                is_named: true,
            });
        }
        if named.is_empty() {
            all.extend(usual_market(known, laws, *role, on));
        }
    }
    all
}

/// The market's usual company, where the shop sells there and did not name another. TikTok Shop has several: it has to be named.
fn usual_market(known: &Known, laws: &[&Pack], role: PartnerRole, on: Date) -> Option<Recipient> {
    // Its own pages say how people reach it; a task asks to look up the address for questions about data.
    let (title, pages) = match role {
        PartnerRole::Jd => (said("京东", "JD.com"), "https://www.jd.com"),
        PartnerRole::Taobao => (said("淘宝", "Taobao"), "https://www.taobao.com"),
        PartnerRole::Tmall => (said("天猫", "Tmall"), "https://www.tmall.com"),
        _ => return None,
    };
    let place =
        Place::parse("cn").filter(|_| role.channel().is_some_and(|at| known.sells_on.contains(&at)))?;
    Some(Recipient {
        name: role.to_string(),
        role,
        title: Words { zh: title.zh.to_owned(), en: title.en.to_owned() },
        contact: Some(pages.to_owned()),
        routes: routes(known, laws, role, &place, on),
        is_by_consent: is_by_consent(known, laws, &place, on),
        place,
        is_named: false,
    })
}

fn routes(known: &Known, laws: &[&Pack], role: PartnerRole, to: &Place, on: Date) -> Vec<(String, Route)> {
    let purpose = match role {
        PartnerRole::AdPartner => ExportFor::Marketing,
        PartnerRole::CustomsBroker => ExportFor::Customs,
        PartnerRole::Courier => ExportFor::Contract,
        _ if is_by_consent(known, laws, to, on) => ExportFor::Consent,
        _ => ExportFor::Contract,
    };
    let route = |law: &&Pack| Some((law.id.clone(), law::route(law, to, purpose, known.persons, on)?));
    laws.iter().filter_map(route).collect()
}

/// Does it take a consent of its own to give data to somebody there who decides by himself what he does with it?
///
/// LAW: PIPL 39 for what leaves China; in Vietnam consent is the rule (PDP Law 9). Of other laws the packs are asked.
fn is_by_consent(known: &Known, laws: &[&Pack], to: &Place, on: Date) -> bool {
    let is_abroad = |law: Served| known.serves(law) && !is_home(law.as_str(), to.country());
    let is_wanted = || laws.iter().any(|law| law::wants_consent_to_share(law, to, on));
    is_abroad(Served::Cn) || is_abroad(Served::Vn) || is_wanted()
}

/// What selling and delivering needs.
fn selling(known: &Known, recipients: &[Recipient]) -> Vec<Purpose> {
    let mut purposes = Vec::new();
    if known.has_own_shop() {
        purposes.push(account(known));
    }
    purposes.push(delivery(known, recipients));
    purposes.extend(market(recipients));
    purposes.push(payment(known));
    purposes.extend(payment_partner(recipients));
    purposes.push(after_sales(known));
    purposes
}

fn account(known: &Known) -> Purpose {
    // SOURCE: China's list of what an app for shopping may ask for names the mobile number, not the e-mail address.
    let is_under_it = known.serves(Served::Cn) || is_home("cn", known.seat.country());
    let (first, second) = if is_under_it { ("phone", "email") } else { ("email", "phone") };
    Purpose {
        at_most: Some("3y after customer.active".to_owned()),
        note: Some(said("长期不登录的账户不会永久保存", "an account that nobody uses is not kept for ever")),
        ..purpose(
            "account",
            "essential.service",
            Basis::Contract,
            said("为您管理账户", "To run your account"),
            vec![customer(first), customer("name").optional(), customer(second).optional()],
            "30d after customer.closed",
            Role::Support,
        )
    }
}

fn delivery(known: &Known, recipients: &[Recipient]) -> Purpose {
    let mut uses = Vec::new();
    if known.gets_addressees() {
        uses.extend([order("recipient_name"), order("phone"), order("address")]);
    }
    if known.gets_codes() {
        uses.push(Use { optional: known.gets_addressees(), ..order("oaid") });
    }
    let note = known.gets_codes().then_some(said(
        "平台订单只保存收件人代码（OAID），面单凭代码打印；收件人明文不落库",
        "of orders on these marketplaces only the addressee's code (OAID) is kept; waybills are printed by it",
    ));
    Purpose {
        at_most: Some("1y after collected".to_owned()),
        recipients: Plan::names(recipients, |one| one.role == PartnerRole::Courier),
        note,
        ..purpose(
            "delivery",
            "essential.service.operations",
            Basis::Contract,
            said("为您配送包裹", "To bring your parcel to you"),
            uses,
            "90d after order.delivered",
            Role::Warehouse,
        )
    }
}

fn market(recipients: &[Recipient]) -> Vec<Purpose> {
    let is_wanted = |role: PartnerRole| role.channel().is_some();
    let purpose = |name, says| {
        let uses = vec![customer("buyer_id"), order("items")];
        let keep = "180d after order.completed";
        purpose(name, "essential.service.operations", Basis::Contract, says, uses, keep, Role::Support)
    };
    let by_contract = purpose(
        "marketplace",
        said(
            "向您下单的平台反馈发货和退换货情况",
            "To tell the marketplace on which you ordered what was sent and what came back",
        ),
    );
    let by_consent = purpose(
        "marketplace_by_consent",
        said(
            "经您同意，向您下单的平台反馈发货和退换货情况",
            "To tell the marketplace on which you ordered, if you agree, what was sent and what came back",
        ),
    );
    shared(recipients, is_wanted, by_contract, by_consent)
}

fn payment(known: &Known) -> Purpose {
    let mut uses = vec![order("amount"), order("paid_on"), order("payment_channel")];
    if known.has_own_shop() {
        uses.push(order("payment_reference"));
    }
    Purpose {
        at_most: Some("2y after collected".to_owned()),
        ..purpose(
            "payment",
            "essential.service.payment_processing",
            Basis::Contract,
            said("处理您的付款和退款", "To take your payment, and give it back if need be"),
            uses,
            "180d after order.completed",
            Role::Finance,
        )
    }
}

fn payment_partner(recipients: &[Recipient]) -> Vec<Purpose> {
    let purpose = |name, says| {
        let uses = vec![order("amount"), order("payment_reference")];
        let data_use = "essential.service.payment_processing";
        purpose(name, data_use, Basis::Contract, says, uses, "180d after order.completed", Role::Finance)
    };
    let by_contract = purpose(
        "payment_partner",
        said("把您的付款交给支付机构办理", "To have your payment made by the payment institution"),
    );
    let by_consent = purpose(
        "payment_partner_by_consent",
        said(
            "经您同意，把您的付款交给支付机构办理",
            "To have your payment made, if you agree, by the payment institution",
        ),
    );
    shared(recipients, |role| role == PartnerRole::Payment, by_contract, by_consent)
}

fn after_sales(known: &Known) -> Purpose {
    let mut uses = Vec::new();
    if known.is_on_a_market() {
        uses.push(Use { optional: known.has_own_shop(), ..customer("buyer_id") });
    }
    if known.gets_addressees() {
        uses.extend([order("recipient_name"), order("phone"), order("address")]);
    }
    if known.gets_codes() {
        uses.push(order("oaid").optional());
    }
    uses.extend([order("items"), order("amount").optional()]);
    Purpose {
        at_most: Some("2y after collected".to_owned()),
        ..purpose(
            "after_sales",
            "essential.service.operations.support",
            Basis::Contract,
            said("处理退换货和保修", "To exchange, take back or repair what you bought"),
            uses,
            "1y after order.completed",
            Role::Support,
        )
    }
}

/// Books, as the law of the seat wants them.
fn tax(books: &Books) -> Purpose {
    let keep = format!("{} after order.completed", books.period);
    let cap = longer(books.period);
    Purpose {
        must_keep: Some(keep.clone()),
        at_most: Some(format!("{cap} after collected")),
        law: Some(books.law.clone()),
        note: Some(said(
            "未完成的订单不产生纳税义务，因此另设上限",
            "an order that was never completed owes no tax: hence the cap",
        )),
        ..purpose(
            "tax",
            "essential.legal_obligation",
            Basis::LegalObligation,
            said("依法保存账簿和凭证", "To keep books and vouchers as the law demands"),
            vec![order("items"), order("amount"), order("paid_on")],
            &keep,
            Role::Finance,
        )
    }
}

/// A year more.
fn longer(period: Period) -> Period {
    let more = match period.unit {
        Unit::Days => 366,
        Unit::Weeks => 53,
        Unit::Months => 12,
        Unit::Years => 1,
    };
    Period { count: period.count.saturating_add(more), ..period }
}

/// What it does besides selling, each thing only if it was chosen, and each by a consent of its own.
fn besides(known: &Known, recipients: &[Recipient]) -> Vec<Purpose> {
    known.does.iter().filter_map(|doing| one_besides(*doing, known, recipients)).collect()
}

fn one_besides(doing: Doing, known: &Known, recipients: &[Recipient]) -> Option<Purpose> {
    let by_consent = |name, data_use, says, uses| {
        purpose(name, data_use, Basis::Consent, says, uses, UNTIL_WITHDRAWN, Role::Marketing)
    };
    Some(match doing {
        Doing::MarketingEmail => by_consent(
            "marketing_email",
            "marketing.communications.email",
            said("给您发送新品和优惠邮件", "To write to you about new things and good prices"),
            vec![customer("email")],
        ),
        Doing::MarketingSms => by_consent(
            "marketing_sms",
            "marketing.communications.sms",
            said("给您发送新品和优惠短信", "To send you text messages about new things and good prices"),
            vec![customer("phone")],
        ),
        Doing::Recommendation => by_consent(
            "recommendations",
            "personalize.content.profiled",
            said("根据您买过的商品为您推荐", "To suggest things that go with what you bought"),
            vec![order("items")],
        ),
        Doing::Statistics => by_consent(
            "statistics",
            "analytics.reporting",
            said("统计哪些商品受欢迎", "To count what is liked"),
            vec![order("items"), order("amount")],
        ),
        Doing::Customs => customs(recipients),
        Doing::AdPartner => return ad_partner(known, recipients),
    })
}

fn customs(recipients: &[Recipient]) -> Purpose {
    Purpose {
        at_most: Some("1y after collected".to_owned()),
        recipients: Plan::names(recipients, |one| one.role == PartnerRole::CustomsBroker),
        note: Some(said(
            "身份证号是敏感个人信息：单独的目的、单独同意、单独的岗位；没有同意就不收",
            "an identity number is sensitive: a purpose, a consent and a role of its own; without the consent it is not taken in",
        )),
        ..purpose(
            "customs",
            "essential.service.operations",
            Basis::SeparateConsent,
            said("为您的跨境包裹办理清关", "To clear your parcel through customs"),
            vec![customer("name"), customer("id_number")],
            UNTIL_WITHDRAWN,
            Role::Customs,
        )
    }
}

/// Consent to giving data away names who gets it: without a partner there is no such purpose.
fn ad_partner(known: &Known, recipients: &[Recipient]) -> Option<Purpose> {
    let partners = Plan::names(recipients, |one| one.role == PartnerRole::AdPartner);
    let contact = if known.serves(Served::Cn) { "phone" } else { "email" };
    (!partners.is_empty()).then(|| Purpose {
        recipients: partners,
        at_most: Some("1y after collected".to_owned()),
        ..purpose(
            "ad_partner",
            "marketing.advertising.third_party.targeted",
            Basis::SeparateConsent,
            said(
                "让合作方在别处向您展示我们的广告",
                "To let our partner show you our advertisements elsewhere",
            ),
            vec![customer(contact)],
            UNTIL_WITHDRAWN,
            Role::Marketing,
        )
    })
}

const UNTIL_WITHDRAWN: &str = "until withdrawn";

/// The purposes of giving data to those who decide by themselves what they do with it: one for those to whom the contract is ground enough, and one
/// by a consent of its own for the others.
fn shared(
    recipients: &[Recipient],
    is_wanted: impl Fn(PartnerRole) -> bool,
    by_contract: Purpose,
    by_consent: Purpose,
) -> Vec<Purpose> {
    let (far, near): (Vec<&Recipient>, Vec<&Recipient>) =
        recipients.iter().filter(|one| is_wanted(one.role)).partition(|one| one.is_by_consent);
    let names = |all: Vec<&Recipient>| all.into_iter().map(|one| one.name.clone()).collect();
    let at_most = Some("2y after collected".to_owned());
    let by_contract = Purpose { recipients: names(near), at_most: at_most.clone(), ..by_contract };
    let by_consent = Purpose {
        recipients: names(far),
        at_most,
        basis: Basis::SeparateConsent,
        keep: UNTIL_WITHDRAWN.to_owned(),
        note: Some(said(
            "接收方自行决定处理目的，且在境外或依当地法律须经同意：单独同意",
            "it decides by itself what it does with the data, and is abroad, or a law wants a yes: a consent of its own",
        )),
        ..by_consent
    };
    [by_contract, by_consent].into_iter().filter(|purpose| !purpose.recipients.is_empty()).collect()
}

fn purpose(
    name: &'static str,
    data_use: &'static str,
    basis: Basis,
    says: Text,
    uses: Vec<Use>,
    keep: &str,
    role: Role,
) -> Purpose {
    Purpose {
        name,
        data_use,
        basis,
        says,
        note: None,
        uses,
        keep: keep.to_owned(),
        must_keep: None,
        at_most: None,
        law: None,
        recipients: Vec::new(),
        role,
    }
}

const fn customer(field: &'static str) -> Use {
    Use { kind: Kind::Customer, field, optional: false }
}

const fn order(field: &'static str) -> Use {
    Use { kind: Kind::Order, field, optional: false }
}

impl Use {
    const fn optional(self) -> Self {
        Self { optional: true, ..self }
    }
}
