//! The questions: what can be asked, which facts an answer may rest on, and what it can say. Packs answer them and add none.
//!
//! Facts have one meaning in all questions. Words are spelled as they are in packs and in JSON.

use std::sync::LazyLock;

use crate::fact::{Fact, Kind, Text, text};

/// What an answer says under one name.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its name in packs and in JSON.
    pub name: &'static str,
    /// What it can say.
    pub kind: AnswerKind,
    /// What it means.
    pub about: Text,
}

/// What an answer can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerKind {
    /// Yes or no.
    YesNo,
    /// One of these words: the first rule that applies decides.
    Word(&'static [&'static str]),
    /// Some of these words: what all rules that apply say together.
    Words(&'static [&'static str]),
}

/// A question.
#[derive(Debug, PartialEq, Eq)]
pub struct Question {
    /// Its name.
    pub name: &'static str,
    /// What is asked.
    pub about: Text,
    /// Facts that an answer may rest on.
    pub facts: &'static [&'static Fact],
    /// What is answered.
    pub answers: &'static [Answer],
    /// What can be a duty behind it.
    pub duties: &'static [&'static str],
    /// Facts that say when it happened: the law of that day is asked. The first that is known counts.
    pub happened: &'static [&'static str],
}

/// Finds a question by its name.
pub fn find(name: &str) -> Option<&'static Question> {
    ALL.iter().find(|question| question.name == name)
}

/// The number of a question in the list of all.
pub(crate) fn number(question: &Question) -> Option<usize> {
    ALL.iter().position(|known| std::ptr::eq(known, question))
}

/// The numbers of the facts that say when it happened.
pub(crate) fn happened(question: &Question) -> &'static [usize] {
    static NUMBERS: LazyLock<Vec<Vec<usize>>> = LazyLock::new(|| {
        let numbers = |question: &Question| {
            question.happened.iter().filter_map(|fact| number_of(question, fact)).collect()
        };
        ALL.iter().map(numbers).collect()
    });
    number(question).and_then(|number| NUMBERS.get(number)).map_or(&[], Vec::as_slice)
}

/// The number of a fact in a question's list.
pub(crate) fn number_of(question: &Question, fact: &str) -> Option<usize> {
    question.facts.iter().position(|known| known.name == fact)
}

macro_rules! facts {
    ($($CONST:ident $name:literal: $kind:expr, $en:literal, $zh:literal;)*) => {
        $(static $CONST: Fact = Fact { name: $name, kind: $kind, asks: text($en, $zh) };)*
        /// Every fact, once.
        pub static FACTS: &[&Fact] = &[$(&$CONST),*];
    };
}

use Kind::{Count, Day, Flag, Moment, Word, Words};

/// Places that a law can make a difference between. Member states of the European Union first.
pub const PLACES: &[&str] = &[
    "at", "be", "bg", "cy", "cz", "de", "dk", "ee", "es", "fi", "fr", "gr", "hr", "hu", "ie", "it", "lt",
    "lu", "lv", "mt", "nl", "pl", "pt", "ro", "se", "si", "sk", "cn", "hk", "mo", "tw", "uk", "us", "sg",
    "jp", "kr", "br", "th", "vn", "id", "my", "ph", "au", "ca", "in", "ch", "no", "is", "li", "nz", "il",
    "ar", "uy", "ad", "fo", "gg", "im", "je", "ru", "mx", "tr", "ae", "sa", "other",
];
/// Member states of the European Union.
pub const MEMBERS: &[&str] = &[
    "at", "be", "bg", "cy", "cz", "de", "dk", "ee", "es", "fi", "fr", "gr", "hr", "hu", "ie", "it", "lt",
    "lu", "lv", "mt", "nl", "pl", "pt", "ro", "se", "si", "sk",
];
/// Grounds for a use of personal data.
pub const BASES: &[&str] = &[
    "consent",
    "contract",
    "employment",
    "legal_duty",
    "vital_interest",
    "public_task",
    "legitimate_interest",
    "recognised_legitimate_interest",
    "public_health_emergency",
    "news_reporting",
    "already_public",
    "deemed_consent",
    "credit_protection",
    "research",
    "legal_claims",
    "health_care",
    "legitimate_uses",
    "other_law",
];
/// Kinds of data that laws treat apart.
pub const SENSITIVE: &[&str] = &[
    "biometric",
    "religion",
    "specific_identity",
    "health",
    "financial_account",
    "location_track",
    "minor",
    "id_document",
    "race_ethnicity",
    "political_opinion",
    "union_membership",
    "sex_life",
    "genetic",
    "criminal_record",
    "precise_location",
    "message_content",
    "credentials",
    "citizenship",
    "neural",
];
/// What is done that has a default of its own.
pub const ACTIVITIES: &[&str] = &[
    "marketing_email",
    "marketing_sms",
    "marketing_call",
    "tracker",
    "sale",
    "sharing",
    "targeted_ads",
    "recommendation",
    "profiling",
    "automated_decision",
    "sensitive_use",
];
/// What a person can ask for.
pub const RIGHTS: &[&str] = &[
    "access",
    "copy",
    "correct",
    "delete",
    "cancel_account",
    "portability",
    "restrict",
    "object",
    "object_marketing",
    "withdraw",
    "explain",
    "opt_out",
    "limit",
    "opt_in",
    "complain",
    "appeal",
    "review_decision",
];
/// Records whose time laws set.
pub const RECORDS: &[&str] = &[
    "transaction",
    "tax_voucher",
    "invoice",
    "accounting_voucher",
    "annual_report",
    "business_letter",
    "vat_oss",
    "network_log",
    "access_log",
    "assessment_report",
    "provision_record",
    "consent_evidence",
    "merchant_identity",
    "live_stream",
    "advertisement",
    "sms_record",
    "waybill",
    "complaint",
    "contract",
    "payment",
    "request_record",
    "breach_record",
    "refused_copy",
    "order_personal_data",
    "order_other_data",
    "inactive_account",
];
/// Who holds a record, or asks.
pub const HOLDERS: &[&str] =
    &["platform_operator", "merchant", "network_operator", "advertiser", "processor", "app"];
/// What came of a leak for the persons concerned.
pub const RISKS: &[&str] = &["unlikely", "likely", "high"];
/// How a leak came about.
pub const CAUSES: &[&str] =
    &["unauthorised_access", "ransomware", "insider", "loss", "theft", "mistake", "supplier", "other"];
/// What an export is for.
pub const EXPORTS: &[&str] = &[
    "contract_with_person",
    "human_resources",
    "emergency",
    "crm_analytics",
    "marketing",
    "storage",
    "processing",
    "legal_duty",
    "other",
];
/// Papers that a route abroad rests on.
pub const PAPERS: &[&str] =
    &["security_assessment", "standard_contract", "certification", "binding_rules", "transfer_assessment"];
/// Parts of a shop's doing that an assessment can be owed for.
pub const DOINGS: &[&str] = &[
    "sensitive",
    "automated_decision",
    "entrust",
    "share",
    "publish",
    "export",
    "large_scale_sensitive",
    "public_monitoring",
    "profiling_with_effect",
    "targeted_ads",
    "sale",
    "training",
    "large_scale",
    "vulnerable_persons",
    "new_technology",
    "matching",
];
/// What an app is for, as far as a law says which data such an app may require.
pub const SERVICES: &[&str] = &["online_shopping", "other"];
/// Data without which an app may refuse to serve.
pub const NECESSARY: &[&str] = &[
    "registered_mobile",
    "consignee_name",
    "consignee_address",
    "consignee_phone",
    "payment_time",
    "payment_amount",
    "payment_channel",
];
/// What happens on a platform that has a clock.
pub const PLATFORM_EVENTS: &[&str] = &[
    "security_incident",
    "app_uninstalled",
    "data_request",
    "customer_redact",
    "shop_redact",
    "order_delivered",
    "employee_left",
    "deletion_request",
    "merge_addressees",
    "decrypt_addressee",
    "authorisation_ended",
];

facts! {
    BASIS "basis": Word(BASES), "On which ground is the data used?", "依据什么处理个人信息？";
    CATEGORIES "categories": Words(SENSITIVE), "Which of these kinds of data are among it?", "其中包含哪些类别的个人信息？";
    AGE "age": Count, "How old is the person, in years?", "当事人多少周岁？";
    MEMBER_STATE "member_state": Word(MEMBERS), "Which member state's law applies?", "适用哪个成员国的法律？";
    ESTABLISHED_IN "established_in": Word(PLACES), "Where is the shop established?", "店铺设立在哪个国家或地区？";
    TARGETS "targets_persons_here": Flag, "Does it offer goods or services to people here, or watch what they do?", "是否向境内自然人提供商品或服务，或者分析、评估其行为？";
    SHARES "shares_with_handler": Flag, "Is it given to somebody who uses it for purposes of his own?", "是否提供给其他个人信息处理者？";
    PUBLISHES "publishes": Flag, "Is it made public?", "是否公开？";
    EXPORTS_DATA "exports": Flag, "Does it leave the country?", "是否向境外提供？";
    PUBLIC_PLACE "public_place_images": Flag, "Are images from public places used for more than safety?", "公共场所采集的图像是否用于维护公共安全以外的目的？";
    CHANGED "purpose_or_method_changed": Flag, "Did the purpose, the method or the kinds of data change?", "处理目的、处理方式或个人信息种类是否发生变更？";
    REFUSED_BEFORE "refused_before": Flag, "Did the person say no to the same before?", "当事人此前是否已经拒绝同一请求？";
    ACTIVITY "activity": Word(ACTIVITIES), "What is done?", "进行的是哪种活动？";
    SIMILAR "similar_own_products": Flag, "Is it for similar products of the shop's own, to an address obtained in a sale, with an opt-out each time?", "是否就本店类似商品、向交易中取得的地址发送，并且每次都提供退订？";
    GPC "gpc": Flag, "Does the browser send a universal opt-out signal (Sec-GPC: 1)?", "浏览器是否发送通用退出信号（Sec-GPC: 1）？";
    KNOWN_CUSTOMER "known_customer": Flag, "Is it known who the person is?", "是否已识别该用户？";
    RIGHT "right": Word(RIGHTS), "What does the person ask for?", "当事人行使哪项权利？";
    RECEIVED "received_at": Moment, "When was the request received?", "何时收到请求？";
    EXTENDED "extended": Flag, "Is the time extended, for reasons that the person is told?", "是否延长期限并告知理由？";
    PAUSED_ON "paused_on": Day, "On which day was the person asked for what is missing?", "何日要求当事人补充材料？";
    RESUMED_ON "resumed_on": Day, "On which day did it come?", "何日收到补充材料？";
    FULL "full_declaration": Flag, "Is a full declaration asked for, and not a simple one?", "是否要求完整声明（而非简要答复）？";
    MINOR_REQUEST "by_minor_or_guardian": Flag, "Does a minor or a guardian ask?", "请求人是否为未成年人或其监护人？";
    UNFOUNDED "unfounded_or_excessive": Flag, "Is the request manifestly unfounded or excessive?", "请求是否明显无理或过度？";
    SOLELY_AUTOMATED "solely_automated": Flag, "Was it decided by a machine alone, with an effect that matters?", "是否仅通过自动化决策作出且对个人权益有重大影响？";
    RECORD "record": Word(RECORDS), "Which kind of record is it?", "是哪一类记录？";
    HOLDER "holder": Word(HOLDERS), "Who holds it?", "由谁保存？";
    BEGAN "began_on": Day, "On which day does its time begin (completed, created, ended)?", "期限自何日起算（交易完成、形成、结束之日）？";
    DETECTED "detected_at": Moment, "When was it found out?", "何时发现？";
    ASSESSED "assessed_on": Moment, "When was it found to be one that must be told?", "何时评估认定须通知？";
    PEOPLE_TOLD "persons_told_on": Moment, "When were the persons told?", "何时通知了个人？";
    AUTHORITY_TOLD "authority_told_at": Moment, "When was the authority told?", "何时报告了监管机构？";
    HANDLED "handled_on": Moment, "When had it been dealt with?", "事件何时处置完毕？";
    PERSONS "persons": Count, "How many persons does it concern?", "涉及多少人？";
    SENSITIVE_PERSONS "sensitive_persons": Count, "Of how many of them is it sensitive data?", "其中涉及敏感个人信息的有多少人？";
    CAUSE "cause": Word(CAUSES), "How did it come about?", "起因是什么？";
    RISK "risk": Word(RISKS), "How likely is it to harm the persons?", "对个人造成损害的可能性如何？";
    SIGNIFICANT "significant_harm": Flag, "Can it do a person significant harm?", "是否可能造成重大损害？";
    PROPERTY "property_damage": Flag, "Can a person lose property when it is used wrongly (payment data, for one)?", "被不当利用时是否可能造成财产损害（例如支付信息）？";
    POSSIBLE "possible_only": Flag, "Is it only possible that data leaked, and not known?", "是否仅为可能泄露、尚未确认？";
    ENCRYPTED "encrypted_key_safe": Flag, "Was all of it encrypted, and the key safe?", "数据是否均已加密且密钥安全？";
    AVOIDED "harm_avoided": Flag, "Was harm effectively avoided by what was done at once?", "已采取的措施是否有效避免了损害？";
    CIIO "is_ciio": Flag, "Is it an operator of critical information infrastructure?", "是否为关键信息基础设施运营者？";
    STATE_ORGAN "is_state_organ": Flag, "Is it an organ of the state?", "是否为中央和国家机关？";
    OTHER_CRITERIA "other_grading_criteria_met": Flag, "Is another criterion of the grading guide met (important data, services down, loss)?", "是否符合分级指南的其他情形（重要数据、服务中断、经济损失等）？";
    ROLE "role": Word(&["controller", "processor"]), "Does the shop decide what is done with the data, or act for somebody who does?", "是个人信息处理者，还是受托人？";
    INTERNAL_ONLY "internal_only": Flag, "Did it stay within the organisation?", "是否仅限于组织内部？";
    PUBLIC_DANGER "endangers_public": Flag, "Does it endanger national security or the public interest?", "是否危害国家安全、公共利益？";
    CRIME "may_be_crime": Flag, "May it be a crime?", "是否涉嫌犯罪？";
    IMPORTANT "important_data": Flag, "Is important data among it?", "是否包含重要数据？";
    SINCE_JANUARY "persons_since_january": Count, "Data of how many persons, none of it sensitive, went abroad since 1 January?", "自当年1月1日起累计向境外提供多少人的个人信息（不含敏感个人信息）？";
    SENSITIVE_SINCE_JANUARY "sensitive_since_january": Count, "Sensitive data of how many persons went abroad since 1 January?", "自当年1月1日起累计向境外提供多少人的敏感个人信息？";
    EXPORT_FOR "export_for": Word(EXPORTS), "What is it sent abroad for?", "出境目的是什么？";
    PERSONAL "personal_data": Flag, "Is personal data among it?", "是否包含个人信息？";
    TRANSIT "collected_abroad_only": Flag, "Was it collected abroad, worked on here and sent back, with no data from here added?", "是否在境外收集、传输至境内处理后再向境外提供，且未引入境内个人信息？";
    OUTSIDE_LIST "outside_negative_list": Flag, "Is it sent from a free trade zone, and outside of its negative list?", "是否由自由贸易试验区内提供且在负面清单外？";
    TO "to": Word(PLACES), "Where does it go?", "提供至哪个国家或地区？";
    CERTIFIED "recipient_certified": Flag, "Is the recipient on the adequacy framework's list?", "接收方是否在充分性框架名单上？";
    ON_DAY "on": Day, "On which day?", "何日？";
    PAPER "paper": Word(PAPERS), "Which paper is it?", "是哪种文件？";
    ISSUED "issued_on": Day, "On which day was it issued, or did it take effect?", "何日出具或生效？";
    APPROVED "approved": Flag, "Did the competent authority approve?", "是否已获主管机关批准？";
    REACHED "reached_on": Day, "On which day was that number reached?", "何日达到该数量？";
    OCCASIONAL "occasional_low_risk": Flag, "Is it occasional, without special categories on a large scale, and of little risk?", "是否偶发、不大规模涉及特殊类别且风险较低？";
    LARGE_SCALE "large_scale_monitoring": Flag, "Are persons watched regularly and systematically on a large scale, or special categories handled on one?", "是否大规模、定期、系统地监测个人，或大规模处理特殊类别数据？";
    STAFF "automated_staff": Count, "How many people work constantly with automated processing?", "持续从事自动化处理的人员有多少？";
    DOES "does": Words(DOINGS), "Which of these does the shop do?", "从事下列哪些处理活动？";
    MINORS "handles_minors": Flag, "Is data of people under 18 handled?", "是否处理不满十八周岁未成年人的个人信息？";
    LAST_AUDIT "last_audit_on": Day, "On which day was the last audit completed?", "上次审计何日完成？";
    YEAR_END "year_ends_on": Day, "The last day of the year that is audited?", "被审计年度的最后一日？";
    REVENUE_OVER "revenue_over_threshold": Flag, "Is the yearly revenue above the law's threshold?", "年收入是否超过法定门槛？";
    SALE_HALF "half_revenue_from_sale": Flag, "Does half of the revenue or more come from selling or sharing data?", "一半以上收入是否来自出售或共享数据？";
    CONTRACT_WITH "contract_with": Word(&["processor", "handler", "joint_handler"]), "With whom is the contract?", "与谁签订合同？";
    SELLS "sells": Flag, "Is data given for money or another consideration?", "是否以金钱或其他对价提供数据？";
    AUTOMATED "automated_decisions": Flag, "Are decisions about persons automated?", "是否进行自动化决策？";
    SERVICE "service": Word(SERVICES), "Which kind of service does the app give?", "应用提供哪一类服务？";
    EVENT "event": Word(PLATFORM_EVENTS), "What happened?", "发生了什么？";
    AT "at": Moment, "When?", "何时？";
    SAME_WEEK "same_week_shop_and_app": Flag, "Are both orders of one calendar week, one shop and one app?", "两笔订单是否属于同一自然周、同一店铺、同一应用？";
}

const fn yes_no(name: &'static str, en: &'static str, zh: &'static str) -> Answer {
    Answer { name, kind: AnswerKind::YesNo, about: text(en, zh) }
}

const fn word(
    name: &'static str,
    words: &'static [&'static str],
    en: &'static str,
    zh: &'static str,
) -> Answer {
    Answer { name, kind: AnswerKind::Word(words), about: text(en, zh) }
}

const fn words(
    name: &'static str,
    words: &'static [&'static str],
    en: &'static str,
    zh: &'static str,
) -> Answer {
    Answer { name, kind: AnswerKind::Words(words), about: text(en, zh) }
}

/// All questions.
pub static ALL: &[Question] = &[
    Question {
        name: "basis",
        about: text("May data be used on this ground?", "可以依据该理由处理个人信息吗？"),
        facts: &[&BASIS, &CATEGORIES, &ON_DAY],
        answers: &[
            yes_no("valid", "The law knows this ground.", "法律承认该依据。"),
            words("alternatives", BASES, "Grounds that it knows.", "法律承认的依据。"),
        ],
        duties: &["write_assessment", "name_interest"],
        happened: &["on"],
    },
    Question {
        name: "consent",
        about: text("Which consent is needed?", "需要何种同意？"),
        facts: &[
            &BASIS,
            &CATEGORIES,
            &AGE,
            &SHARES,
            &PUBLISHES,
            &EXPORTS_DATA,
            &PUBLIC_PLACE,
            &CHANGED,
            &REFUSED_BEFORE,
            &ACTIVITY,
            &ON_DAY,
        ],
        answers: &[
            word(
                "consent",
                &["none", "plain", "explicit", "separate", "written"],
                "The strictest consent that is needed.",
                "所需最严格的同意形式。",
            ),
            yes_no(
                "ask_again",
                "A consent that was given does not cover it.",
                "此前的同意不再适用，须重新取得同意。",
            ),
        ],
        duties: &[
            "inform",
            "separate_consent",
            "withdraw_as_easily",
            "no_refusal_of_service",
            "no_nagging",
            "wait_to_ask_again",
            "prove_consent",
            "confirm_again",
            "guardian_consent",
        ],
        happened: &["on"],
    },
    Question {
        name: "minor",
        about: text("May somebody of this age decide for himself?", "该年龄的人可以自行同意吗？"),
        facts: &[&AGE, &MEMBER_STATE, &BASIS, &ON_DAY],
        answers: &[
            yes_no(
                "guardian_consent",
                "A parent or guardian has to consent.",
                "须取得父母或其他监护人同意。",
            ),
            yes_no(
                "sensitive_by_age",
                "Everything about the person is sensitive because of the age.",
                "因年龄而属于敏感个人信息。",
            ),
            yes_no("minors_rules", "Special rules for minors apply.", "适用未成年人特别规则。"),
        ],
        duties: &["special_rules", "no_tracking", "no_targeted_ads", "least_privilege", "best_interest"],
        happened: &["on"],
    },
    Question {
        name: "default",
        about: text(
            "Is it off until somebody says yes, or on until somebody says no?",
            "默认关闭直至同意，还是默认开启直至拒绝？",
        ),
        facts: &[&ACTIVITY, &AGE, &SIMILAR, &CATEGORIES, &ON_DAY],
        answers: &[
            word(
                "model",
                &["opt_in", "separate_consent", "opt_out", "soft_opt_in", "banned", "notice"],
                "How it has to begin.",
                "默认模式。",
            ),
            word("opt_in_from", &["person", "guardian"], "Who has to say yes.", "由谁表示同意。"),
        ],
        duties: &[
            "offer_non_personalised",
            "delete_tags",
            "easy_refusal",
            "unsubscribe_each_time",
            "identify_sender",
            "notice_and_link",
            "stop_at_once",
            "no_price_discrimination",
            "check_registry",
            "confirm_again",
            "no_nights",
        ],
        happened: &["on"],
    },
    Question {
        name: "signal",
        about: text("Does a universal opt-out signal have to be obeyed?", "必须遵从通用退出信号吗？"),
        facts: &[&GPC, &KNOWN_CUSTOMER, &ON_DAY],
        answers: &[
            yes_no("mandatory", "It has to be obeyed.", "必须遵从。"),
            words("covers", &["browser", "account"], "What it opts out.", "退出所及范围。"),
            yes_no("show_status", "The page has to show that it was obeyed.", "须显示已处理的状态。"),
            yes_no("may_ask_more", "More may be asked before it is obeyed.", "遵从前可否要求更多信息。"),
        ],
        duties: &["opt_out_sale", "opt_out_sharing", "wait_to_ask_again"],
        happened: &["on"],
    },
    Question {
        name: "request",
        about: text(
            "What is owed to somebody who asks, and by when?",
            "当事人行使权利时，应做什么、期限多长？",
        ),
        facts: &[
            &RIGHT,
            &RECEIVED,
            &EXTENDED,
            &PAUSED_ON,
            &RESUMED_ON,
            &FULL,
            &MINOR_REQUEST,
            &UNFOUNDED,
            &SOLELY_AUTOMATED,
            &RECORD,
            &HOLDER,
            &BEGAN,
            &MEMBER_STATE,
            &ON_DAY,
        ],
        answers: &[
            word(
                "decision",
                &["do", "stop", "keep_and_restrict", "may_refuse"],
                "What becomes of it.",
                "处理结果。",
            ),
            yes_no("balancing_test", "Interests may be weighed against it.", "可否进行利益衡量。"),
            yes_no("free", "It costs the person nothing.", "是否免费。"),
            word("silence", &["refusal"], "What it counts as not to answer.", "不答复的法律后果。"),
        ],
        duties: &[
            "acknowledge",
            "answer",
            "tell_of_extension",
            "answer_extended",
            "refuse_in_writing",
            "give_reasons",
            "restrict",
            "keep_at_least",
            "stop_at_once",
            "tell_recipients",
            "human_review",
            "keep_refused_copy",
        ],
        happened: &["received_at", "on"],
    },
    Question {
        name: "retention",
        about: text(
            "How long must, and how long may, a record be kept?",
            "记录必须保存多久、最长可以保存多久？",
        ),
        facts: &[&RECORD, &HOLDER, &BEGAN, &MEMBER_STATE, &ON_DAY],
        answers: &[word(
            "rule",
            &["keep_at_least", "keep_at_most", "keep_for_ever", "as_long_as_needed"],
            "What the law sets.",
            "法律如何规定。",
        )],
        duties: &["keep_at_least", "keep_at_most", "destroy_regularly", "tell_before_erasure"],
        happened: &["on", "began_on"],
    },
    Question {
        name: "breach",
        about: text(
            "Who has to be told of a leak, of what, and by when?",
            "个人信息泄露应向谁、就何事、在何时通知？",
        ),
        facts: &[
            &DETECTED,
            &ASSESSED,
            &PEOPLE_TOLD,
            &AUTHORITY_TOLD,
            &HANDLED,
            &PERSONS,
            &SENSITIVE_PERSONS,
            &CATEGORIES,
            &CAUSE,
            &RISK,
            &SIGNIFICANT,
            &PROPERTY,
            &POSSIBLE,
            &ENCRYPTED,
            &AVOIDED,
            &CIIO,
            &STATE_ORGAN,
            &OTHER_CRITERIA,
            &ROLE,
            &INTERNAL_ONLY,
            &CRIME,
            &MINORS,
            &ON_DAY,
        ],
        answers: &[
            word(
                "grade",
                &["general", "larger", "major", "extremely_major"],
                "Grade of the incident (一般, 较大, 重大, 特别重大).",
                "事件等级（一般、较大、重大、特别重大）。",
            ),
            yes_no("notify_authority", "An authority has to be told.", "须报告监管机构。"),
            word(
                "notify_individuals",
                &["required", "unless_ordered_not_required", "not_required", "recommended"],
                "Have the persons to be told?",
                "是否须通知个人？",
            ),
            yes_no(
                "report_incident",
                "It has to be reported as an incident within a clock.",
                "须在规定时限内报告网络安全事件。",
            ),
            yes_no("mandatory", "There is any duty to tell somebody.", "是否存在法定通知义务。"),
        ],
        duties: &[
            "notify_authority",
            "notify_individuals",
            "report_incident",
            "summary_report",
            "preliminary_report",
            "final_report",
            "record",
            "notify_controller",
            "notify_attorney_general",
            "report_crime",
            "tell_guardian",
            "supplement",
            "recommended_notice",
            "assess",
        ],
        happened: &["detected_at", "on"],
    },
    Question {
        name: "vulnerability",
        about: text(
            "Does a weakness of a product have to be reported?",
            "产品、服务存在安全缺陷、漏洞时须报告吗？",
        ),
        facts: &[&DETECTED, &PUBLIC_DANGER, &ON_DAY],
        answers: &[yes_no("report", "It has to be reported.", "须报告。")],
        duties: &["report", "tell_users", "mend"],
        happened: &["detected_at", "on"],
    },
    Question {
        name: "transfer",
        about: text("By which route may data leave the country?", "个人信息可以通过何种路径出境？"),
        facts: &[
            &CIIO,
            &IMPORTANT,
            &PERSONAL,
            &SINCE_JANUARY,
            &SENSITIVE_SINCE_JANUARY,
            &EXPORT_FOR,
            &TRANSIT,
            &OUTSIDE_LIST,
            &TO,
            &CERTIFIED,
            &BASIS,
            &ON_DAY,
            &ISSUED,
        ],
        answers: &[
            word(
                "route",
                &[
                    "exempt",
                    "standard_contract_or_certification",
                    "security_assessment",
                    "adequacy",
                    "safeguards",
                    "comparable_protection",
                    "consent_or_equivalent",
                    "assessment_filing",
                    "free",
                    "restricted",
                ],
                "The route.",
                "出境路径。",
            ),
            yes_no(
                "adequate",
                "The place is held to protect data well enough.",
                "目的地是否被认定提供充分保护。",
            ),
        ],
        duties: &[
            "inform",
            "separate_consent",
            "assess_impact",
            "assess_transfer",
            "contract",
            "file_contract",
            "apply_for_assessment",
            "security",
            "name_mechanism",
            "file_dossier",
        ],
        happened: &["on"],
    },
    Question {
        name: "transfer_paper",
        about: text(
            "How long does a paper of a route abroad hold, and when is it renewed?",
            "出境文件有效期多长、何时续期？",
        ),
        facts: &[&PAPER, &ISSUED, &ON_DAY],
        answers: &[],
        duties: &["holds_until", "renew_from", "file", "do_again"],
        happened: &["on", "issued_on"],
    },
    Question {
        name: "foreign_request",
        about: text(
            "May data be given to a court or an authority abroad?",
            "可以向境外司法或执法机构提供数据吗？",
        ),
        facts: &[&APPROVED, &ON_DAY],
        answers: &[word("decision", &["block", "allow", "by_agreement"], "What is decided.", "决定。")],
        duties: &["ask_for_approval"],
        happened: &["on"],
    },
    Question {
        name: "representative",
        about: text(
            "Does the law reach a shop abroad, and does it need a representative here?",
            "法律是否适用于境外店铺、是否须设代表？",
        ),
        facts: &[&ESTABLISHED_IN, &TARGETS, &OCCASIONAL, &PERSONS, &REVENUE_OVER, &ON_DAY],
        answers: &[
            yes_no("applies", "The law applies.", "法律适用。"),
            yes_no("representative", "A representative has to be named.", "须指定代表或设立专门机构。"),
        ],
        duties: &["name_representative", "file_representative"],
        happened: &["on"],
    },
    Question {
        name: "officer",
        about: text("Is a privacy officer owed?", "须指定个人信息保护负责人吗？"),
        facts: &[&PERSONS, &SENSITIVE_PERSONS, &LARGE_SCALE, &STAFF, &MEMBER_STATE, &REACHED, &ON_DAY],
        answers: &[yes_no("required", "One has to be appointed.", "须指定。")],
        duties: &["appoint", "publish_contact", "file_officer"],
        happened: &["on", "reached_on"],
    },
    Question {
        name: "registration",
        about: text("Does the shop have to register or pay?", "须登记、备案或缴费吗？"),
        facts: &[&ESTABLISHED_IN, &SELLS, &PERSONS, &ON_DAY],
        answers: &[yes_no("required", "It has to.", "须登记。")],
        duties: &["register", "pay_fee"],
        happened: &["on"],
    },
    Question {
        name: "assessment",
        about: text("Is an assessment of the impact owed beforehand?", "须事前进行影响评估吗？"),
        facts: &[&DOES, &PERSONS, &ON_DAY],
        answers: &[yes_no("required", "It is owed.", "须评估。")],
        duties: &["assess", "keep_report", "record_processing", "consult_authority", "file_dossier"],
        happened: &["on"],
    },
    Question {
        name: "audit",
        about: text("When is the next audit owed?", "下一次合规审计应在何时？"),
        facts: &[&PERSONS, &MINORS, &LAST_AUDIT, &YEAR_END, &ON_DAY],
        answers: &[
            yes_no("required", "One is owed at set times.", "须定期审计。"),
            word("every", &["year", "two_years", "reasonable"], "How often.", "频率。"),
        ],
        duties: &["audit", "report_audit"],
        happened: &["on"],
    },
    Question {
        name: "contract",
        about: text(
            "What has to stand in a contract with somebody who gets data?",
            "与接收方的合同应包含哪些内容？",
        ),
        facts: &[&CONTRACT_WITH, &ON_DAY],
        answers: &[yes_no("required", "A contract is owed.", "须签订合同。")],
        duties: &["contract", "supervise", "keep_record", "publish_essence"],
        happened: &["on"],
    },
    Question {
        name: "notice",
        about: text("What has to stand in the notice?", "隐私政策应包含哪些内容？"),
        facts: &[&CATEGORIES, &SHARES, &EXPORTS_DATA, &MINORS, &SELLS, &AUTOMATED, &PERSONS, &TO, &ON_DAY],
        answers: &[],
        duties: &[
            "notice",
            "notice_sensitive",
            "notice_minors",
            "notice_transfer",
            "notice_sale",
            "notice_automated",
            "update",
            "language",
        ],
        happened: &["on"],
    },
    Question {
        name: "necessary",
        about: text(
            "Which data may an app require before it serves?",
            "应用可以把哪些个人信息作为提供服务的必要条件？",
        ),
        facts: &[&SERVICE, &ON_DAY],
        answers: &[words(
            "required",
            NECESSARY,
            "Data without which the service cannot be given.",
            "基本功能服务所必需的个人信息。",
        )],
        duties: &["no_refusal_of_service"],
        happened: &["on"],
    },
    Question {
        name: "small_operator",
        about: text("Is it a small operator, with reliefs?", "是否属于可以简化履行义务的小型处理者？"),
        facts: &[&PERSONS, &ESTABLISHED_IN, &REVENUE_OVER, &SALE_HALF, &SELLS, &ON_DAY],
        answers: &[
            yes_no("small", "It is one.", "属于。"),
            yes_no("law_applies", "The law applies to it at all.", "法律是否适用。"),
        ],
        duties: &[
            "simplified_notice",
            "simplified_assessment",
            "simplified_audit",
            "still_consent_and_breach",
        ],
        happened: &["on"],
    },
    Question {
        name: "platform",
        about: text("What does a marketplace ask behind this event?", "平台规则对该事件有何要求？"),
        facts: &[&EVENT, &AT, &SAME_WEEK, &ON_DAY],
        answers: &[
            yes_no("allowed", "It may be done.", "是否允许。"),
            yes_no("same_person", "The two can be taken for one person.", "是否可视为同一人。"),
        ],
        duties: &[
            "tell_platform",
            "erase",
            "expect_redact",
            "answer_request",
            "remove_access",
            "keep_at_most",
            "use_masked",
        ],
        happened: &["at", "on"],
    },
];
