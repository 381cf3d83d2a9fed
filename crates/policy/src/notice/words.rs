//! What a notice and its sections are called.

use super::line::Line;
use super::scribe::Scribe;
use crate::record::{Language, Words, both};
use crate::words::SectionId;

pub(super) fn title(words: Language) -> Line {
    Line::own(both("Privacy notice", "隐私政策").of(words))
}

pub(super) fn lead(scribe: &Scribe<'_>) -> Line {
    scribe.fill(
        "This notice says which personal data {0} keeps about you, why, for how long, who gets it, and what you can do. \
         Everything in it that is not marked as added by the shop comes from the same file by which our systems act.",
        "本政策说明{0}收集您的哪些个人信息、为什么收集、保存多久、提供给谁，以及您可以怎样管理自己的信息。除标明“店铺补充”的内容外，\
         本政策与我们的系统实际执行的规则出自同一份文件。",
        &[scribe.shop()],
    )
}

/// What a section is called.
pub(super) const fn section(id: SectionId) -> Words {
    match id {
        SectionId::Summary => both("In short", "概要"),
        SectionId::Shop => both("Who we are", "我们是谁"),
        SectionId::Purposes => both("What we use your data for", "我们如何收集和使用您的个人信息"),
        SectionId::Data => both("All the data, one by one", "个人信息收集清单"),
        SectionId::Sensitive => both("Sensitive data", "敏感个人信息"),
        SectionId::Choices => both("What you decide: consent", "由您决定：同意与撤回"),
        SectionId::Recipients => both("Who gets your data", "我们向谁提供您的个人信息"),
        SectionId::Sale => both("Is your data sold?", "我们是否出售个人信息"),
        SectionId::Retention => both("How long we keep it", "我们保存多久"),
        SectionId::Abroad => both("Where your data is, and whether it goes abroad", "存放地点与个人信息出境"),
        SectionId::Safety => both("How we protect it", "我们如何保护您的个人信息"),
        SectionId::Automated => both("Personalised recommendations", "个性化推荐与自动化决策"),
        SectionId::Minors => both("Children", "未成年人"),
        SectionId::Rights => both("Your rights, and how to use them", "您的权利及行使方式"),
        SectionId::Signals => both("Your browser’s privacy signal", "浏览器的隐私信号"),
        SectionId::Complaints => both("Questions and complaints", "联系我们与投诉"),
        SectionId::Changes => both("Changes to this notice", "本政策的更新"),
    }
}
