//! Words on buttons that press people, or that say no twice.
//!
//! SOURCE: EDPB Guidelines 03/2022, emotional steering; 11 CCR 7004(a)(2)(C) ("Ask me later" beside "Yes" is not symmetrical),
//! (a)(3) (double negatives), (a)(4) (words that shame). What is listed is what such buttons say; a list is never whole.

use crate::words::WindowAnswer as Answer;

/// What is wrong with a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It presses, by this phrase.
    Presses(&'static str),
    /// It says no twice.
    DoubleNegative,
}

/// What is wrong with the label of a button, if anything.
pub(super) fn fault(answer: Answer, label: &str) -> Option<Fault> {
    let label = plain(label);
    let steers = STEERING.iter().chain(if answer == Answer::Choose { &[][..] } else { POSTPONING });
    let found = steers.into_iter().find(|phrase| has(&label, phrase));
    found
        .map(|phrase| Fault::Presses(phrase))
        .or_else(|| says_no_twice(&label).then_some(Fault::DoubleNegative))
}

/// Small letters, plain apostrophes and commas, single spaces.
fn plain(label: &str) -> String {
    let small = label.to_lowercase().replace(['’', '‘', '＇'], "'").replace(['，', '、'], ",");
    small.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Is a phrase in a label? In English as whole words.
fn has(label: &str, phrase: &str) -> bool {
    if !phrase.is_ascii() {
        return label.contains(phrase);
    }
    let is_edge = |one: Option<char>| one.is_none_or(|one| !one.is_ascii_alphanumeric());
    label.match_indices(phrase).any(|(at, _)| {
        let before = label.get(..at).and_then(|text| text.chars().next_back());
        let behind = label.get(at.saturating_add(phrase.len())..).and_then(|text| text.chars().next());
        is_edge(before) && is_edge(behind)
    })
}

/// Shame, fear of loss, praise of one answer.
const STEERING: &[&str] = &[
    "no thanks",
    "no, thanks",
    "no thank you",
    "experience",
    "i don't care",
    "i don't want",
    "i don't like",
    "i don't need",
    "i prefer",
    "i'd rather",
    "i hate",
    "i like",
    "i love",
    "miss out",
    "missing out",
    "lose",
    "give up",
    "benefit",
    "benefits",
    "discount",
    "discounts",
    "recommended",
    "best",
    "worse",
    "are you sure",
    "at my own risk",
    "体验",
    "谢谢",
    "残忍",
    "狠心",
    "忍痛",
    "放弃",
    "错过",
    "我不想",
    "我不要",
    "我不需要",
    "不在乎",
    "宁愿",
    "推荐",
    "享受",
    "优惠",
    "福利",
    "确定要",
    "风险自负",
    "后果自负",
];

/// An answer that is none, beside one that is.
const POSTPONING: &[&str] = &[
    "not now",
    "later",
    "next time",
    "skip",
    "以后再说",
    "下次",
    "稍后",
    "暂不",
    "暂时不",
    "再想想",
    "再考虑",
    "跳过",
];

/// Two negations, or one before a word that says no by itself.
fn says_no_twice(label: &str) -> bool {
    // `No, I do not agree` answers and then says it: that is no double negative.
    let label = ["no, ", "不,"].iter().find_map(|lead| label.strip_prefix(lead)).unwrap_or(label);
    let words: Vec<&str> = label.split(|one: char| !(one.is_alphanumeric() || one == '\'')).collect();
    let english = |list: &[&str]| words.iter().filter(|word| list.contains(word)).count();
    let chinese = |list: &[&str]| list.iter().map(|word| label.matches(word).count()).sum::<usize>();
    let no = english(NEGATIONS).saturating_add(chinese(NEGATIONS_ZH));
    let turns = english(REFUSALS).saturating_add(chinese(REFUSALS_ZH));
    no >= 2 || (no == 1 && turns >= 1)
}

const NEGATIONS: &[&str] =
    &["no", "not", "don't", "never", "without", "cannot", "can't", "won't", "isn't", "doesn't"];
const REFUSALS: &[&str] = &[
    "refuse",
    "reject",
    "decline",
    "deny",
    "disallow",
    "disagree",
    "disable",
    "block",
    "object",
    "stop",
    "forbid",
    "withdraw",
    "unsubscribe",
    "out",
];
const NEGATIONS_ZH: &[&str] = &["不", "别", "勿", "没", "并非"];
const REFUSALS_ZH: &[&str] = &["拒绝", "反对", "禁止", "停止", "关闭", "取消", "退出", "撤回", "屏蔽"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_press_are_found() {
        for label in [
            "No thanks, I prefer a worse experience",
            "Yes, give me the best deal",
            "I don’t like discounts",
            "Accept (recommended)",
            "Continue and MISS  OUT",
            "不，我不想要更好的体验",
            "残忍拒绝",
            "放弃优惠",
            "推荐：全部同意",
            "Maybe later",
            "Not now",
            "以后再说",
        ] {
            let found = fault(Answer::Reject, label);
            assert!(matches!(found, Some(Fault::Presses(_))), "{label}: {found:?}");
        }
    }

    #[test]
    fn what_says_no_twice_is_found() {
        for label in [
            "Do not refuse",
            "Don't opt out",
            "Never not allow",
            "不拒绝",
            "不要取消",
            "别不同意",
            "并非不同意",
        ] {
            assert_eq!(fault(Answer::Accept, label), Some(Fault::DoubleNegative), "{label}");
        }
    }

    #[test]
    fn plain_answers_are_let_be() {
        for label in [
            "Accept all",
            "Reject all",
            "Reject non-essential",
            "Choose",
            "Do not agree",
            "No, I do not agree",
            "Only what is necessary",
            "Refuse",
            "I agree",
            "Bestellung erlauben",
            "全部同意",
            "全部拒绝",
            "不同意",
            "不，我不同意",
            "拒绝非必要项",
            "仅限必要",
            "自行选择",
            "隐私设置",
        ] {
            assert_eq!(fault(Answer::Reject, label), None, "{label}");
        }
        assert_eq!(fault(Answer::Choose, "Choose later"), None, "whoever chooses later has not said no");
    }
}
