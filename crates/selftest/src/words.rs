//! What people read of a report, in English and Chinese. Codes and names stay as they are.

use crate::judge::Fault;
use crate::report::{Report, StageReport, Verdict};
use crate::trace::{Belongs, Place, Stage, Way};

/// The language of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    En,
    /// Chinese.
    Zh,
}

/// A table for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The heads of its columns.
    pub head: Vec<&'static str>,
    /// Its rows.
    pub rows: Vec<Vec<String>>,
}

impl Language {
    fn pick(self, en: &'static str, zh: &'static str) -> &'static str {
        match self {
            Self::En => en,
            Self::Zh => zh,
        }
    }

    /// The name of a stage.
    pub fn stage(self, stage: Stage) -> &'static str {
        match stage {
            Stage::Before => self.pick("before any choice", "选择之前"),
            Stage::Refused => self.pick("after refusing", "拒绝之后"),
            Stage::Accepted => self.pick("after accepting", "同意之后"),
            Stage::Withdrawn => self.pick("after withdrawing", "撤回之后"),
        }
    }

    /// What is wrong.
    pub fn fault(self, fault: Fault) -> String {
        match self {
            Self::En => fault.to_string(),
            Self::Zh => zh_of(fault).to_owned(),
        }
    }

    /// What a self-test comes to, in a sentence.
    pub fn verdict(self, report: &Report) -> String {
        match (report.verdict, self) {
            (Verdict::Obeyed, Self::En) if report.stages.len() == 1 => {
                "Nothing was seen that needs a choice, and nothing asks for one.".into()
            }
            (Verdict::Obeyed, Self::Zh) if report.stages.len() == 1 => {
                "页面没有需要征得同意的行为，也没有弹出选择。".into()
            }
            (Verdict::Obeyed, Self::En) => {
                "What visitors choose was obeyed in everything that was seen.".into()
            }
            (Verdict::Obeyed, Self::Zh) => "在观察到的范围内，访客的选择均得到遵守。".into(),
            (Verdict::NotObeyed, Self::En) => format!("{} findings.", report.findings.len()),
            (Verdict::NotObeyed, Self::Zh) => format!("发现 {} 处问题。", report.findings.len()),
        }
    }

    /// One line for each stage: what was sent to others and kept, and how many findings there are.
    pub fn overview(self, report: &Report) -> Table {
        let head = vec![
            self.pick("stage", "阶段"),
            self.pick("requests", "请求"),
            self.pick("to others", "发往他人"),
            self.pick("cookies", "Cookie"),
            self.pick("other storage", "其他存储"),
            self.pick("findings", "问题"),
        ];
        let row = |stage: &StageReport| {
            let others = stage.requests.iter().filter(|one| one.belongs != Belongs::Shop).count();
            let cookies = stage.stored.iter().filter(|one| one.seen.kept.place == Place::Cookie).count();
            let found = report.findings.iter().filter(|finding| finding.stage == stage.stage).count();
            vec![
                self.stage(stage.stage).to_owned(),
                stage.requests.len().to_string(),
                others.to_string(),
                cookies.to_string(),
                stage.stored.len().saturating_sub(cookies).to_string(),
                found.to_string(),
            ]
        };
        Table { head, rows: report.stages.iter().map(row).collect() }
    }

    /// Everything that was sent to others or kept, with its purpose and recipient; the same thing once for each stage.
    pub fn everything(self, report: &Report) -> Table {
        let head = vec![
            self.pick("stage", "阶段"),
            self.pick("what", "类型"),
            self.pick("name", "名称"),
            self.pick("purpose", "处理目的"),
            self.pick("recipient", "接收方"),
        ];
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut add = |stage: Stage, what: &str, name: String, belongs: &Belongs| {
            let (purpose, recipient) = self.owner(belongs);
            let row = vec![self.stage(stage).to_owned(), what.to_owned(), name, purpose, recipient];
            if !rows.contains(&row) {
                rows.push(row);
            }
        };
        for stage in &report.stages {
            for one in stage.requests.iter().filter(|one| one.belongs != Belongs::Shop) {
                add(stage.stage, self.way(one.seen.way), one.seen.address(), &one.belongs);
            }
            for one in &stage.stored {
                let name = format!("{} ({})", one.seen.kept.name, one.seen.kept.host);
                add(stage.stage, name_of(one.seen.kept.place), name, &one.belongs);
            }
        }
        Table { head, rows }
    }

    /// The findings.
    pub fn findings(self, report: &Report) -> Table {
        let head = vec![
            self.pick("code", "代码"),
            self.pick("stage", "阶段"),
            self.pick("what is wrong", "问题"),
            self.pick("what was seen", "观察到的内容"),
            self.pick("belongs to", "归属"),
        ];
        let row = |finding: &crate::judge::Finding| {
            let owner = finding.belongs.as_ref().map(|belongs| {
                let (purpose, recipient) = self.owner(belongs);
                if recipient.is_empty() { purpose } else { format!("{purpose} · {recipient}") }
            });
            let seen = match (finding.what.is_empty(), finding.by.is_empty()) {
                (true, _) => String::new(),
                (false, true) => finding.what.clone(),
                (false, false) => format!("{} ({})", finding.what, finding.by),
            };
            vec![
                finding.code.clone(),
                self.stage(finding.stage).to_owned(),
                self.fault(finding.fault),
                seen,
                owner.unwrap_or_default(),
            ]
        };
        Table { head, rows: report.findings.iter().map(row).collect() }
    }

    /// What is left and out of reach, a sentence for each.
    pub fn remarks(self, report: &Report) -> Vec<String> {
        let sentence = |remark: &crate::judge::Remark| {
            let (name, host) = (&remark.kept.name, &remark.kept.host);
            let place = name_of(remark.kept.place);
            match self {
                Self::En => format!(
                    "{place} `{name}` of {host} is left on the device: it is another site's, and only {host} can take it away."
                ),
                Self::Zh => {
                    format!(
                        "{place} `{name}`（{host}）仍留在设备上：它属于其他网站，只有 {host} 自己能够清除。"
                    )
                }
            }
        };
        report.remarks.iter().map(sentence).collect()
    }

    fn owner(self, belongs: &Belongs) -> (String, String) {
        match belongs {
            Belongs::Shop => (self.pick("the shop's own", "店铺自有").into(), String::new()),
            Belongs::Window => (self.pick("what was chosen", "记录选择").into(), String::new()),
            Belongs::Purpose { purpose, recipient } => {
                (purpose.clone(), recipient.clone().unwrap_or_default())
            }
            Belongs::Undeclared => (self.pick("nobody declared it", "未声明").into(), String::new()),
        }
    }

    fn way(self, way: Way) -> &'static str {
        match way {
            Way::Plain => self.pick("request", "请求"),
            Way::Style => self.pick("image of a style sheet", "样式表图片"),
            Way::Beacon => self.pick("beacon", "信标请求"),
        }
    }
}

fn name_of(place: Place) -> &'static str {
    match place {
        Place::Cookie => "Cookie",
        Place::Local => "localStorage",
        Place::Session => "sessionStorage",
        Place::Database => "IndexedDB",
        Place::Cache => "CacheStorage",
        Place::Worker => "Service Worker",
    }
}

fn zh_of(fault: Fault) -> &'static str {
    match fault {
        Fault::RequestBefore => "尚未选择，就已向他人发出请求",
        Fault::RequestRefused => "全部拒绝之后，仍向他人发出请求",
        Fault::RequestBeyond => "“全部同意”并不包含的请求",
        Fault::RequestWithdrawn => "撤回之后，仍向他人发出请求",
        Fault::RequestUndeclared => "向未声明的对象发出请求",
        Fault::StylePixel => "样式表向他人请求了未获允许的图片",
        Fault::Beacon => "向他人发出了未获允许的信标请求",
        Fault::CookieBefore => "尚未选择，就已写入 Cookie",
        Fault::CookieRefused => "全部拒绝之后，仍有 Cookie",
        Fault::CookieBeyond => "“全部同意”并不包含的 Cookie",
        Fault::CookieLeft => "撤回之后，Cookie 没有清除",
        Fault::CookieUndeclared => "未声明的 Cookie",
        Fault::StorageBefore => "尚未选择，就已写入本地存储",
        Fault::StorageRefused => "全部拒绝之后，仍有本地存储",
        Fault::StorageBeyond => "“全部同意”并不包含的本地存储",
        Fault::StorageLeft => "撤回之后，本地存储没有清除",
        Fault::StorageUndeclared => "未声明的本地存储",
        Fault::Worker => "注册了未获允许的 Service Worker",
        Fault::BannerMissing => "有需要征得同意的目的，却没有询问",
        Fault::RefuseMissing => "横幅上没有拒绝的途径",
        Fault::RefuseLonger => "拒绝比同意需要更多次点击",
        Fault::AskedAgain => "刚刚拒绝，下一页又再次询问",
        Fault::AcceptMissing => "横幅上没有同意的途径，其后的阶段无法检验",
        Fault::WithdrawFar => "无法在两次点击之内撤回同意",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_fault_has_words_of_its_own_in_both_languages() {
        for language in [Language::En, Language::Zh] {
            let words: BTreeSet<String> = Fault::ALL.iter().map(|fault| language.fault(*fault)).collect();
            assert_eq!(words.len(), Fault::ALL.len());
        }
        let is_chinese =
            |fault: &Fault| zh_of(*fault).chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        assert!(Fault::ALL.iter().all(is_chinese));
    }
}
