//! What acts and words are called, in both languages. In packs and in JSON they have one spelling; people read these.

use crate::fact::{Text, text};
use crate::pack::{Confidence, Depth, PackKind, Soon, Status};

/// An act or a word, and what it is called. It means the same in every question.
#[derive(Debug, PartialEq, Eq)]
pub struct Named {
    /// How it is spelled in packs and in JSON.
    pub name: &'static str,
    /// What it is called.
    pub text: Text,
}

/// What an act is called, something that can be owed; `None` for what is no duty of any question.
pub fn find_act(name: &str) -> Option<Text> {
    find(ACTS, name)
}

/// What a word of an answer or of a fact is called; `None` for what is no word of any question.
pub fn find_word(name: &str) -> Option<Text> {
    find(WORDS, name)
}

fn find(known: &[Named], name: &str) -> Option<Text> {
    known.iter().find(|known| known.name == name).map(|known| known.text)
}

/// What yes and no are called.
pub const fn yes_or_no(is: bool) -> Text {
    if is { text("yes", "是") } else { text("no", "否") }
}

/// What is said where a person has to be asked first.
pub const ASK_A_PERSON: Text = text("a person has to be asked", "须由人回答");

/// What a list of words without any is called.
pub const NOTHING: Text = text("nothing", "无");

impl Confidence {
    /// What it is called.
    pub const fn text(self) -> Text {
        match self {
            Confidence::Unverified => text("unverified", "未经核实"),
            Confidence::Secondary => text("secondary", "依据二手资料"),
            Confidence::Verified => text("verified", "已核对原文"),
        }
    }
}

impl Status {
    /// What it is called.
    pub const fn text(self) -> Text {
        match self {
            Status::InForce => text("in force", "现行有效"),
            Status::Guideline => text("guideline", "指引、推荐性标准"),
            Status::Pending => text("pending", "已公布"),
            Status::Draft => text("draft", "草案"),
        }
    }
}

impl Soon {
    /// What it is called.
    pub const fn text(self) -> Text {
        match self {
            Soon::AtOnce => text("at once", "立即"),
            Soon::WithoutUndueDelay => text("without undue delay", "不得无故迟延"),
            Soon::Promptly => text("promptly", "及时"),
            Soon::AsSoonAsPracticable => text("as soon as practicable", "在可行的情况下尽快"),
            Soon::SameTime => text("at the same time", "同时或随后"),
            Soon::Beforehand => text("beforehand", "事前"),
            Soon::ReasonableTime => text("within a reasonable time", "在合理期限内"),
            Soon::Always => text("always", "持续"),
        }
    }
}

impl PackKind {
    /// What it is called.
    pub const fn text(self) -> Text {
        match self {
            PackKind::Law => text("law", "法律"),
            PackKind::Platform => text("platform", "平台规则"),
        }
    }
}

impl Depth {
    /// What it is called.
    pub const fn text(self) -> Text {
        match self {
            Depth::Deep => text("deep", "全面"),
            Depth::Thin => text("thin", "仅要点"),
        }
    }
}

macro_rules! named {
    ($(#[$doc:meta])* $CONST:ident: $($name:literal: $en:literal, $zh:literal;)*) => {
        $(#[$doc])*
        pub static $CONST: &[Named] = &[$(Named { name: $name, text: text($en, $zh) }),*];
    };
}

named! {
    /// Every act, once.
    ACTS:
    // basis, consent, minor
    "write_assessment": "write the assessment of interests down", "书面记录利益衡量评估";
    "name_interest": "name the legitimate interest", "说明所依据的合法利益";
    "inform": "inform", "告知";
    "separate_consent": "obtain a separate consent", "取得单独同意";
    "withdraw_as_easily": "make withdrawal as easy as consent", "提供便捷的撤回同意方式";
    "no_refusal_of_service": "not refuse the service for a refusal", "不得因不同意而拒绝提供服务";
    "no_nagging": "not ask again and again", "不得频繁征求同意";
    "wait_to_ask_again": "wait before asking again", "等待期满后方可再次征求同意";
    "prove_consent": "be able to prove the consent", "能够证明已取得同意";
    "confirm_again": "have the consent confirmed again", "再次确认同意";
    "guardian_consent": "obtain the consent of a parent or guardian", "取得父母或者其他监护人同意";
    "special_rules": "have special rules for minors", "制定专门的未成年人个人信息处理规则";
    "no_tracking": "not track minors", "不得跟踪未成年人";
    "no_targeted_ads": "not target advertisements at minors", "不得向未成年人投放定向广告";
    "least_privilege": "give access to as few as possible", "按最小授权设定访问权限";
    "best_interest": "put the child's interest first", "以儿童最大利益为先";
    // default, signal
    "offer_non_personalised": "offer a choice that is not personalised", "提供不针对个人特征的选项";
    "delete_tags": "let the person delete tags", "提供删除用户标签的功能";
    "easy_refusal": "make refusal easy", "提供便捷的拒绝方式";
    "unsubscribe_each_time": "offer to unsubscribe each time", "每次发送均提供退订方式";
    "identify_sender": "say who sends it", "表明发送者身份";
    "notice_and_link": "show a notice and a link to opt out", "公示告知并提供退出链接";
    "stop_at_once": "stop at once", "立即停止";
    "no_price_discrimination": "not discriminate in prices", "不得实行不合理的差别待遇";
    "check_registry": "check the do-not-call registry", "查询拒绝来电登记册";
    "no_nights": "not send at night", "夜间不得发送";
    "opt_out_sale": "opt the person out of sale", "退出个人信息出售";
    "opt_out_sharing": "opt the person out of sharing", "退出个人信息共享";
    // request, retention
    "acknowledge": "acknowledge receipt", "确认收到请求";
    "answer": "answer the request", "答复请求";
    "tell_of_extension": "tell of the extension", "告知延长期限";
    "answer_extended": "answer within the extended time", "在延长的期限内答复";
    "refuse_in_writing": "refuse in writing", "书面拒绝";
    "give_reasons": "give reasons", "说明理由";
    "restrict": "do nothing but store and secure it", "仅存储并采取安全保护措施，停止其他处理";
    "keep_at_least": "keep at least", "至少保存";
    "tell_recipients": "tell the recipients", "通知接收方";
    "human_review": "have a person review the decision", "由人工复核决定";
    "keep_refused_copy": "keep a copy of what was refused", "保存被拒绝提供的信息副本";
    "keep_at_most": "keep at most", "最长保存";
    "destroy_regularly": "destroy regularly", "定期销毁";
    "tell_before_erasure": "tell the person before it is erased", "删除前通知个人";
    // breach, vulnerability
    "notify_authority": "notify an authority", "报告监管机构";
    "notify_individuals": "notify individuals", "通知受影响的个人";
    "report_incident": "report the incident", "报告网络安全事件";
    "summary_report": "send a summary report", "提交总结报告";
    "preliminary_report": "send a preliminary report", "提交初步报告";
    "final_report": "send a final report", "提交最终报告";
    "record": "record it", "记录";
    "notify_controller": "notify the controller", "通知委托方（个人信息处理者）";
    "notify_attorney_general": "notify the attorney general", "通知总检察长";
    "report_crime": "report the crime", "向公安机关报案";
    "tell_guardian": "tell the parent or guardian", "告知父母或者其他监护人";
    "supplement": "supply what was missing", "补充报告";
    "recommended_notice": "tell, as is recommended", "建议通知";
    "assess": "assess it", "进行评估";
    "report": "report it", "报告";
    "tell_users": "tell the users", "告知用户";
    "mend": "mend it", "采取补救措施";
    // transfer, transfer_paper, foreign_request
    "assess_impact": "assess the impact", "进行个人信息保护影响评估";
    "assess_transfer": "assess the transfer", "进行跨境传输评估";
    "contract": "conclude a contract", "订立合同";
    "file_contract": "file the contract", "备案合同";
    "apply_for_assessment": "apply for a security assessment", "申报安全评估";
    "security": "take security measures", "采取安全措施";
    "name_mechanism": "name the mechanism of the transfer", "告知传输所依据的机制";
    "file_dossier": "file the dossier", "提交评估卷宗";
    "holds_until": "the paper holds until then", "有效期至";
    "renew_from": "renew it", "申请延期";
    "file": "file it", "备案";
    "do_again": "do it again", "重新办理";
    "ask_for_approval": "ask for approval", "报请主管机关批准";
    // representative, officer, registration, assessment, audit, contract
    "name_representative": "name a representative", "指定代表或者设立专门机构";
    "file_representative": "file the representative", "报送代表或者专门机构信息";
    "appoint": "appoint an officer", "指定个人信息保护负责人";
    "publish_contact": "publish the officer's contact", "公开负责人联系方式";
    "file_officer": "file the officer", "报送负责人信息";
    "register": "register", "登记";
    "pay_fee": "pay the fee", "缴纳费用";
    "keep_report": "keep the report", "保存评估报告";
    "record_processing": "record the processing", "记录处理情况";
    "consult_authority": "consult the authority", "事先咨询监管机构";
    "audit": "have an audit made", "进行合规审计";
    "report_audit": "report on the audit", "报送审计报告";
    "supervise": "supervise the recipient", "监督接收方";
    "keep_record": "keep a record of it", "保存记录";
    "publish_essence": "publish the essence of the contract", "公开合同要点";
    // notice, small_operator
    "notice": "give notice", "公示隐私政策";
    "notice_sensitive": "give notice of sensitive data", "告知敏感个人信息处理事项";
    "notice_minors": "give notice about minors", "告知未成年人个人信息处理事项";
    "notice_transfer": "give notice of the transfer abroad", "告知向境外提供事项";
    "notice_sale": "give notice of sale or sharing", "告知出售或者共享事项";
    "notice_automated": "give notice of automated decisions", "告知自动化决策事项";
    "update": "bring the notice up to date", "更新隐私政策";
    "language": "write it in the language that is asked for", "使用规定的语言";
    "simplified_notice": "a simplified notice is enough", "可以简化告知";
    "simplified_assessment": "a simplified assessment is enough", "可以简化影响评估";
    "simplified_audit": "a simplified audit is enough", "可以简化合规审计";
    "still_consent_and_breach": "consent and leaks stay as they are", "取得同意和泄露通知义务不得免除";
    // platform
    "tell_platform": "tell the platform", "通知平台";
    "erase": "erase", "删除";
    "expect_redact": "expect the order to erase", "等待平台的删除通知";
    "answer_request": "answer the platform's request", "答复数据请求";
    "remove_access": "remove the access", "撤销访问权限";
    "use_masked": "use what is masked", "使用脱敏数据";
}

named! {
    /// Every word of every fact and answer, once.
    WORDS:
    // Places.
    "at": "Austria", "奥地利";
    "be": "Belgium", "比利时";
    "bg": "Bulgaria", "保加利亚";
    "cy": "Cyprus", "塞浦路斯";
    "cz": "Czechia", "捷克";
    "de": "Germany", "德国";
    "dk": "Denmark", "丹麦";
    "ee": "Estonia", "爱沙尼亚";
    "es": "Spain", "西班牙";
    "fi": "Finland", "芬兰";
    "fr": "France", "法国";
    "gr": "Greece", "希腊";
    "hr": "Croatia", "克罗地亚";
    "hu": "Hungary", "匈牙利";
    "ie": "Ireland", "爱尔兰";
    "it": "Italy", "意大利";
    "lt": "Lithuania", "立陶宛";
    "lu": "Luxembourg", "卢森堡";
    "lv": "Latvia", "拉脱维亚";
    "mt": "Malta", "马耳他";
    "nl": "Netherlands", "荷兰";
    "pl": "Poland", "波兰";
    "pt": "Portugal", "葡萄牙";
    "ro": "Romania", "罗马尼亚";
    "se": "Sweden", "瑞典";
    "si": "Slovenia", "斯洛文尼亚";
    "sk": "Slovakia", "斯洛伐克";
    "cn": "China", "中国";
    "hk": "Hong Kong", "中国香港";
    "mo": "Macao", "中国澳门";
    "tw": "Taiwan", "中国台湾";
    "uk": "United Kingdom", "英国";
    "us": "United States", "美国";
    "sg": "Singapore", "新加坡";
    "jp": "Japan", "日本";
    "kr": "South Korea", "韩国";
    "br": "Brazil", "巴西";
    "th": "Thailand", "泰国";
    "vn": "Vietnam", "越南";
    "id": "Indonesia", "印度尼西亚";
    "my": "Malaysia", "马来西亚";
    "ph": "Philippines", "菲律宾";
    "au": "Australia", "澳大利亚";
    "ca": "Canada", "加拿大";
    "in": "India", "印度";
    "ch": "Switzerland", "瑞士";
    "no": "Norway", "挪威";
    "is": "Iceland", "冰岛";
    "li": "Liechtenstein", "列支敦士登";
    "nz": "New Zealand", "新西兰";
    "il": "Israel", "以色列";
    "ar": "Argentina", "阿根廷";
    "uy": "Uruguay", "乌拉圭";
    "ad": "Andorra", "安道尔";
    "fo": "Faroe Islands", "法罗群岛";
    "gg": "Guernsey", "根西岛";
    "im": "Isle of Man", "马恩岛";
    "je": "Jersey", "泽西岛";
    "ru": "Russia", "俄罗斯";
    "mx": "Mexico", "墨西哥";
    "tr": "Türkiye", "土耳其";
    "ae": "United Arab Emirates", "阿联酋";
    "sa": "Saudi Arabia", "沙特阿拉伯";
    "other": "other", "其他";
    // Grounds.
    "consent": "consent", "同意";
    "contract": "contract", "合同";
    "employment": "employment", "劳动人事管理";
    "legal_duty": "legal duty", "法定职责或者法定义务";
    "vital_interest": "vital interest", "重大切身利益";
    "public_task": "public task", "公共任务";
    "legitimate_interest": "legitimate interest", "合法利益";
    "recognised_legitimate_interest": "recognised legitimate interest", "法律认可的合法利益";
    "public_health_emergency": "public health emergency", "突发公共卫生事件或者紧急情况";
    "news_reporting": "news reporting", "新闻报道、舆论监督";
    "already_public": "already public", "已经合法公开";
    "deemed_consent": "deemed consent", "视为同意";
    "credit_protection": "credit protection", "信用保护";
    "research": "research", "研究";
    "legal_claims": "legal claims", "法律主张";
    "health_care": "health care", "医疗保健";
    "legitimate_uses": "legitimate uses", "法定的正当用途";
    "other_law": "other law", "其他法律";
    // Kinds of data.
    "biometric": "biometric", "生物识别";
    "religion": "religion", "宗教信仰";
    "specific_identity": "specific identity", "特定身份";
    "health": "health", "医疗健康";
    "financial_account": "financial account", "金融账户";
    "location_track": "location track", "行踪轨迹";
    "minor": "minor", "未成年人";
    "id_document": "id document", "身份证件";
    "race_ethnicity": "race or ethnicity", "种族、民族";
    "political_opinion": "political opinion", "政治观点";
    "union_membership": "union membership", "工会成员身份";
    "sex_life": "sex life", "性生活、性取向";
    "genetic": "genetic", "基因";
    "criminal_record": "criminal record", "犯罪记录";
    "precise_location": "precise location", "精确位置";
    "message_content": "message content", "通信内容";
    "credentials": "credentials", "账号密码";
    "citizenship": "citizenship", "公民身份、移民身份";
    "neural": "neural", "神经数据";
    // Activities and doings.
    "marketing_email": "marketing by e-mail", "电子邮件营销";
    "marketing_sms": "marketing by SMS", "短信营销";
    "marketing_call": "marketing by call", "电话营销";
    "tracker": "tracker", "跟踪技术（Cookie等）";
    "sale": "sale", "出售";
    "sharing": "sharing", "共享";
    "targeted_ads": "targeted ads", "定向广告";
    "recommendation": "recommendation", "个性化推荐";
    "profiling": "profiling", "用户画像";
    "automated_decision": "automated decision", "自动化决策";
    "sensitive_use": "use of sensitive data", "使用敏感个人信息";
    "sensitive": "sensitive data", "处理敏感个人信息";
    "entrust": "entrust", "委托处理";
    "share": "share", "向其他处理者提供";
    "publish": "publish", "公开";
    "export": "export", "向境外提供";
    "large_scale_sensitive": "sensitive data on a large scale", "大规模处理敏感个人信息";
    "public_monitoring": "monitoring of public places", "监控公共场所";
    "profiling_with_effect": "profiling with an effect", "产生影响的用户画像";
    "training": "training of models", "训练模型";
    "large_scale": "large scale", "大规模处理";
    "vulnerable_persons": "vulnerable persons", "弱势群体";
    "new_technology": "new technology", "新技术";
    "matching": "matching of data", "数据匹配、合并";
    // Rights.
    "access": "access", "查阅";
    "copy": "copy", "复制";
    "correct": "correct", "更正、补充";
    "delete": "delete", "删除";
    "cancel_account": "cancel the account", "注销账号";
    "portability": "portability", "转移（可携带）";
    "restrict": "restrict", "限制处理";
    "object": "object", "反对处理";
    "object_marketing": "object to marketing", "反对营销";
    "withdraw": "withdraw", "撤回同意";
    "explain": "explain", "解释说明";
    "opt_out": "opt out", "选择退出";
    "limit": "limit", "限制使用敏感信息";
    "opt_in": "opt in", "选择同意";
    "complain": "complain", "投诉";
    "appeal": "appeal", "申诉";
    "review_decision": "review of a decision", "复核决定";
    // Records and who holds them.
    "transaction": "transaction", "交易信息";
    "tax_voucher": "tax voucher", "涉税凭证";
    "invoice": "invoice", "发票";
    "accounting_voucher": "accounting voucher", "会计凭证";
    "annual_report": "annual report", "年度报告";
    "business_letter": "business letter", "商业信函";
    "vat_oss": "VAT one-stop shop", "增值税一站式申报记录";
    "network_log": "network log", "网络日志";
    "access_log": "access log", "访问日志";
    "assessment_report": "assessment report", "评估报告";
    "provision_record": "record of what was given to others", "对外提供记录";
    "consent_evidence": "evidence of consent", "同意凭证";
    "merchant_identity": "merchant's identity", "经营者身份信息";
    "live_stream": "live stream", "直播视频";
    "advertisement": "advertisement", "广告";
    "sms_record": "SMS record", "短信记录";
    "waybill": "waybill", "运单";
    "complaint": "complaint", "投诉记录";
    "payment": "payment", "支付记录";
    "request_record": "record of a request", "权利请求记录";
    "breach_record": "record of a leak", "泄露事件记录";
    "refused_copy": "copy of what was refused", "被拒绝提供的信息副本";
    "order_personal_data": "personal data of an order", "订单中的个人信息";
    "order_other_data": "other data of an order", "订单中的其他数据";
    "inactive_account": "inactive account", "不活跃账号";
    "platform_operator": "platform operator", "电子商务平台经营者";
    "merchant": "merchant", "平台内经营者（商家）";
    "network_operator": "network operator", "网络运营者";
    "advertiser": "advertiser", "广告主";
    "processor": "processor", "受托人";
    "app": "app", "应用";
    // What an app requires.
    "online_shopping": "online shopping", "网上购物";
    "registered_mobile": "the mobile number that was registered", "注册用户移动电话号码";
    "consignee_name": "the consignee's name", "收货人姓名（名称）";
    "consignee_address": "the consignee's address", "收货人地址";
    "consignee_phone": "the consignee's phone", "收货人联系电话";
    "payment_time": "the time of payment", "支付时间";
    "payment_amount": "the amount of payment", "支付金额";
    "payment_channel": "the channel of payment", "支付渠道";
    // Leaks.
    "unlikely": "unlikely", "不太可能";
    "likely": "likely", "可能";
    "high": "high", "高";
    "unauthorised_access": "unauthorised access", "未经授权的访问";
    "ransomware": "ransomware", "勒索软件";
    "insider": "insider", "内部人员";
    "loss": "loss", "遗失";
    "theft": "theft", "被盗";
    "mistake": "mistake", "操作失误";
    "supplier": "supplier", "供应商";
    // Data abroad.
    "contract_with_person": "contract with the person", "订立、履行个人作为一方当事人的合同";
    "human_resources": "human resources", "人力资源管理";
    "emergency": "emergency", "紧急情况";
    "crm_analytics": "CRM and analytics", "客户管理与分析";
    "marketing": "marketing", "营销";
    "storage": "storage", "存储";
    "processing": "processing", "加工处理";
    "security_assessment": "security assessment", "数据出境安全评估";
    "standard_contract": "standard contract", "标准合同";
    "certification": "certification", "个人信息保护认证";
    "binding_rules": "binding rules", "有约束力的公司规则";
    "transfer_assessment": "transfer assessment", "传输影响评估";
    // Events on platforms.
    "security_incident": "security incident", "安全事件";
    "app_uninstalled": "app uninstalled", "应用被卸载";
    "data_request": "data request", "数据查询请求";
    "customer_redact": "customer's data to be erased", "删除顾客数据的通知";
    "shop_redact": "shop's data to be erased", "删除店铺数据的通知";
    "order_delivered": "order delivered", "订单送达";
    "employee_left": "employee left", "员工离职";
    "deletion_request": "deletion request", "删除请求";
    "merge_addressees": "merge addressees", "合并收件人";
    "decrypt_addressee": "decrypt an addressee", "解密收件人信息";
    "authorisation_ended": "authorisation ended", "授权终止";
    // Parties.
    "controller": "controller", "个人信息处理者";
    "handler": "handler", "其他个人信息处理者";
    "joint_handler": "joint handler", "共同处理者";
    "person": "the person", "本人";
    "guardian": "the guardian", "监护人";
    // Answers.
    "none": "none", "无需同意";
    "plain": "plain", "一般同意";
    "explicit": "explicit", "明示同意";
    "separate": "separate", "单独同意";
    "written": "written", "书面同意";
    "separate_consent": "separate consent", "须取得单独同意";
    "soft_opt_in": "soft opt in", "软性选择同意（既有客户例外）";
    "banned": "banned", "禁止";
    "notice": "notice", "仅须告知";
    "browser": "browser", "浏览器";
    "account": "account", "账号";
    "do": "do it", "照办";
    "stop": "stop", "停止处理";
    "keep_and_restrict": "keep and restrict", "保存但限制处理";
    "may_refuse": "may refuse", "可以拒绝";
    "refusal": "refusal", "视为拒绝";
    "keep_at_least": "keep at least", "规定最短保存期限";
    "keep_at_most": "keep at most", "规定最长保存期限";
    "keep_for_ever": "keep for ever", "永久保存";
    "as_long_as_needed": "as long as needed", "以必要为限";
    "general": "general", "一般";
    "larger": "larger", "较大";
    "major": "major", "重大";
    "extremely_major": "extremely major", "特别重大";
    "required": "required", "必须";
    "unless_ordered_not_required": "not required unless ordered", "除非监管机构要求，否则无须";
    "not_required": "not required", "无须";
    "recommended": "recommended", "建议";
    "exempt": "exempt", "豁免";
    "standard_contract_or_certification": "standard contract or certification", "标准合同或者个人信息保护认证";
    "adequacy": "adequacy", "充分性认定";
    "safeguards": "safeguards", "适当保障措施";
    "comparable_protection": "comparable protection", "同等保护";
    "consent_or_equivalent": "consent, or an equivalent protection", "取得同意或者同等保护";
    "assessment_filing": "filing of an assessment", "提交评估卷宗";
    "free": "free", "自由流动";
    "restricted": "restricted", "受限制";
    "block": "block", "不得提供";
    "allow": "allow", "可以提供";
    "by_agreement": "by agreement", "依国际条约、协定";
    "year": "every year", "每年";
    "two_years": "every two years", "每两年";
    "reasonable": "at reasonable intervals", "合理间隔";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::fact::Kind;
    use crate::question::{ALL, AnswerKind, FACTS};

    fn owed() -> BTreeSet<&'static str> {
        ALL.iter().flat_map(|question| question.duties.iter().copied()).collect()
    }

    fn said() -> BTreeSet<&'static str> {
        let of_facts = FACTS.iter().filter_map(|fact| match fact.kind {
            Kind::Word(known) | Kind::Words(known) => Some(known),
            Kind::Flag | Kind::Count | Kind::Day | Kind::Moment => None,
        });
        let answers = ALL.iter().flat_map(|question| question.answers);
        let of_answers = answers.filter_map(|answer| match answer.kind {
            AnswerKind::Word(known) | AnswerKind::Words(known) => Some(known),
            AnswerKind::YesNo => None,
        });
        of_facts.chain(of_answers).flatten().copied().collect()
    }

    fn is_chinese(text: &str) -> bool {
        text.contains(|letter: char| ('\u{4e00}'..='\u{9fff}').contains(&letter))
    }

    /// Is it English in English, and Chinese in Chinese?
    fn is_in_both(text: Text) -> bool {
        is_chinese(text.zh) && !text.en.is_empty() && !is_chinese(text.en)
    }

    #[test]
    fn every_duty_of_every_question_is_an_act_and_every_act_is_a_duty_of_some_question() {
        let acts: Vec<&str> = ACTS.iter().map(|act| act.name).collect();
        assert_eq!(
            acts.len(),
            acts.iter().collect::<BTreeSet<_>>().len(),
            "an act stands in the table twice"
        );
        assert_eq!(acts.into_iter().collect::<BTreeSet<_>>(), owed());
    }

    #[test]
    fn every_word_of_every_vocabulary_has_one_name_and_there_is_no_name_without_a_word() {
        let words: Vec<&str> = WORDS.iter().map(|word| word.name).collect();
        assert_eq!(
            words.len(),
            words.iter().collect::<BTreeSet<_>>().len(),
            "a word stands in the table twice"
        );
        assert_eq!(words.into_iter().collect::<BTreeSet<_>>(), said());
    }

    #[test]
    fn all_that_people_read_is_there_in_english_and_in_chinese() {
        for named in ACTS.iter().chain(WORDS) {
            assert!(is_in_both(named.text), "{}", named.name);
        }
        for fact in FACTS {
            assert!(is_in_both(fact.asks), "{}", fact.name);
        }
        for question in ALL {
            assert!(is_in_both(question.about), "{}", question.name);
            for answer in question.answers {
                // A term of Chinese law may stand in the English.
                assert!(is_chinese(answer.about.zh) && !answer.about.en.is_empty(), "{}", answer.name);
            }
        }
    }

    #[test]
    fn no_vocabulary_has_more_words_than_there_are_bits() {
        for fact in FACTS {
            if let Kind::Word(known) | Kind::Words(known) = fact.kind {
                assert!(known.len() <= 64, "{}", fact.name);
            }
        }
        for answer in ALL.iter().flat_map(|question| question.answers) {
            if let AnswerKind::Word(known) | AnswerKind::Words(known) = answer.kind {
                assert!(known.len() <= 64, "{}", answer.name);
            }
        }
    }

    #[test]
    fn two_acts_of_one_question_are_never_called_the_same() {
        for question in ALL {
            let called: BTreeSet<_> =
                question.duties.iter().filter_map(|act| find_act(act)).map(|text| text.zh).collect();
            assert_eq!(called.len(), question.duties.len(), "{}", question.name);
        }
    }

    #[test]
    fn what_is_no_word_has_no_name() {
        assert_eq!(find_word("opt_inn"), None);
        assert_eq!(find_act("opt_in"), None);
    }
}
