//! The fixed words of the policy format, and what is made of them, as people say them in English and Chinese.

use super::{Language, both};
use crate::law::{Citation, Confidence};
use crate::period::Period;
use crate::words::{Basis, Channel, Consideration, RecipientKind, Route, Unit};

/// The same in English and Chinese.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// English.
    pub en: &'static str,
    /// Chinese in simplified characters.
    pub zh: &'static str,
}

impl Words {
    /// In this language.
    pub const fn of(self, language: Language) -> &'static str {
        match language {
            Language::En => self.en,
            Language::Zh => self.zh,
        }
    }
}

/// A basis, as people say it.
pub const fn basis(basis: Basis) -> Words {
    match basis {
        Basis::Consent => Words { en: "consent", zh: "同意" },
        Basis::SeparateConsent => Words { en: "separate consent", zh: "单独同意" },
        Basis::Contract => Words { en: "contract", zh: "订立、履行合同所必需" },
        Basis::LegalObligation => Words { en: "legal obligation", zh: "履行法定义务所必需" },
        Basis::LegitimateInterest => Words { en: "legitimate interest", zh: "正当利益" },
        Basis::VitalInterest => Words { en: "vital interest", zh: "保护重大利益（生命安全）" },
        Basis::PublicTask => Words { en: "public task", zh: "公共利益任务" },
    }
}

pub(super) const fn recipient_kind(kind: RecipientKind) -> Words {
    match kind {
        RecipientKind::Logistics => Words { en: "logistics", zh: "物流" },
        RecipientKind::Payment => Words { en: "payment", zh: "支付" },
        RecipientKind::Marketing => Words { en: "marketing", zh: "营销推广" },
        RecipientKind::Marketplace => Words { en: "marketplace", zh: "电商平台" },
        RecipientKind::Processor => Words { en: "processor", zh: "受托人" },
        RecipientKind::Authority => Words { en: "public authority", zh: "公共机关" },
        RecipientKind::Other => Words { en: "other", zh: "其他" },
    }
}

pub(crate) const fn channel(channel: Channel) -> Words {
    match channel {
        Channel::Own => both("own shop", "自有网店"),
        Channel::Jd => both("JD.com", "京东"),
        Channel::Taobao => both("Taobao", "淘宝"),
        Channel::Tmall => both("Tmall", "天猫"),
        Channel::TiktokShop => both("TikTok Shop", "TikTok Shop"),
        Channel::Shopify => both("Shopify", "Shopify"),
        Channel::Amazon => both("Amazon", "亚马逊"),
    }
}

pub(super) const fn route(route: Route) -> Words {
    match route {
        Route::Exempt => both("exempt: the law asks for no route", "豁免"),
        Route::Adequacy => both("adequacy decision", "充分性认定"),
        Route::StandardContract => both("standard contract (clauses)", "标准合同"),
        Route::Certification => both("certification", "个人信息保护认证"),
        Route::BindingRules => both("binding corporate rules", "有约束力的公司规则"),
        Route::SecurityAssessment => both("security assessment", "数据出境安全评估"),
        Route::AssessmentFiling => both("assessment that was filed", "评估备案"),
        Route::ComparableContract => {
            both("contract that asks for comparable protection", "要求同等保护的合同")
        }
        Route::Consent => both("consent of the person", "个人同意"),
    }
}

pub(super) const fn consideration(consideration: Consideration) -> Words {
    match consideration {
        Consideration::None => Words { en: "nothing", zh: "无对价" },
        Consideration::Sale => Words { en: "money (a sale)", zh: "金钱（出售）" },
        Consideration::Exchange => {
            Words { en: "something of value that is not money", zh: "非金钱的其他利益" }
        }
    }
}

/// `90 days`, `1 year`; `90天`, `1年`.
pub(crate) fn period(period: Period, language: Language) -> String {
    let (one, many, chinese) = match period.unit {
        Unit::Days => ("day", "days", "天"),
        Unit::Weeks => ("week", "weeks", "周"),
        Unit::Months => ("month", "months", "个月"),
        Unit::Years => ("year", "years", "年"),
    };
    match (language, period.count) {
        (Language::En, 1) => format!("1 {one}"),
        (Language::En, count) => format!("{count} {many}"),
        (Language::Zh, count) => format!("{count}{chinese}"),
    }
}

/// An event: in English as the file names it, in Chinese by its usual word, else as the file names it.
pub(crate) fn event(name: &str, language: Language) -> String {
    let usual = EVENTS.iter().find(|(known, _)| *known == name).map(|(_, chinese)| (*chinese).to_owned());
    match language {
        Language::En => name.replace(['_', '-'], " "),
        Language::Zh => usual.unwrap_or_else(|| format!("“{name}”")),
    }
}

/// A country by its ISO code; the code itself where it is no country's.
pub(crate) fn country(code: &str, language: Language) -> &str {
    let mut lines = COUNTRIES.lines().skip(1).map(|line| line.split('\t'));
    let column = match language {
        Language::En => 0,
        Language::Zh => 1,
    };
    lines
        .find_map(|mut cells| (cells.next() == Some(code)).then(|| cells.nth(column)).flatten())
        .unwrap_or(code)
}

/// `GDPR 30(1)(f)`; `GDPR第30(1)(f)条`.
pub(crate) fn citation(citation: &Citation, language: Language) -> String {
    let (law, article) = (law(citation.law, language), citation.article);
    match (language, article.strip_prefix("Annex ")) {
        (Language::En, _) => format!("{law} {article}"),
        (Language::Zh, None) => format!("{law}第{article}条"),
        (Language::Zh, Some(annex)) => format!("{law}附录{annex}"),
    }
}

/// A law by its short name; in Chinese by its full one, where it is Chinese.
pub(super) fn law(law: &'static str, language: Language) -> &'static str {
    match (language, law) {
        (Language::Zh, "PIPL") => "《个人信息保护法》",
        (Language::Zh, "Network Data Security Management Regulations") => "《网络数据安全管理条例》",
        _ => law,
    }
}

/// How sure we are of a law's text.
pub(super) const fn confidence(confidence: Confidence) -> Words {
    match confidence {
        Confidence::Text => Words { en: "the text was read", zh: "已核对法条原文" },
        Confidence::Secondary => Words { en: "a secondary source was read", zh: "依据二手资料" },
        Confidence::Unverified => Words {
            en: "unverified: look it up before you rely on it",
            zh: "未核实：使用前请查对原文",
        },
    }
}

/// Several citations, one behind the other.
pub(super) fn citations(cites: &[Citation], language: Language) -> String {
    let each: Vec<String> = cites.iter().map(|cite| citation(cite, language)).collect();
    each.join(match language {
        Language::En => "; ",
        Language::Zh => "、",
    })
}

/// What shops usually call events, and how one says it in Chinese.
const EVENTS: &[(&str, &str)] = &[
    ("active", "活跃"),
    ("cancelled", "取消"),
    ("closed", "关闭"),
    ("completed", "完成"),
    ("delivered", "送达"),
    ("expired", "到期"),
    ("opened", "开立"),
    ("paid", "付款"),
    ("placed", "下单"),
    ("received", "收货"),
    ("refunded", "退款"),
    ("registered", "注册"),
    ("resolved", "解决"),
    ("returned", "退货"),
    ("shipped", "发货"),
];

/// SOURCE: Unicode CLDR 49; see SOURCE.md there.
const COUNTRIES: &str = include_str!("../../data/cldr/countries.tsv");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_that_a_policy_can_name_has_a_name_in_both_languages() {
        let codes: Vec<&str> = COUNTRIES.lines().skip(1).filter_map(|line| line.split('\t').next()).collect();
        assert_eq!(codes.len(), 250, "249 countries, and the European Union");
        for code in codes {
            assert!(crate::text::Place::parse(code).is_some(), "{code}");
            for language in [Language::En, Language::Zh] {
                assert_ne!(country(code, language), code);
            }
        }
        assert_eq!(country("de", Language::Zh), "德国");
        assert_eq!(country("eu", Language::En), "European Union");
        assert_eq!(country("zz", Language::En), "zz");
    }

    #[test]
    fn periods_are_said_as_people_say_them() {
        let said = |text: &str, language| period(Period::parse(text).unwrap(), language);
        assert_eq!(said("1d", Language::En), "1 day");
        assert_eq!(said("12mo", Language::En), "12 months");
        assert_eq!(said("12mo", Language::Zh), "12个月");
        assert_eq!(said("2w", Language::Zh), "2周");
    }

    #[test]
    fn events_are_sorted_and_one_without_a_usual_word_keeps_its_name() {
        assert!(EVENTS.is_sorted());
        assert_eq!(event("shipped", Language::Zh), "发货");
        assert_eq!(event("picked_up", Language::Zh), "“picked_up”");
        assert_eq!(event("picked_up", Language::En), "picked up");
    }
}
