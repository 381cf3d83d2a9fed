//! What people can ask for, and how; children; the browser's signal.

use super::{Block, Line, Scribe};
use crate::dpv::Right;
use crate::lawful::ask;
use crate::record::{Words, both};
use crate::words::Minors;
use rulebook::Pack;
use rulebook::clock::{Term, Unit};
use serde_json::json;

pub(super) fn rights(scribe: &Scribe<'_>) -> Vec<Block> {
    let links = &scribe.edition.links;
    let my = scribe.link("My data", "我的数据", links.my);
    let officer = Line::contact(&scribe.policy.shop.officer.contact);
    let how = scribe.fill(
        "Open {0}: once you have signed in there, you see, copy and correct what we keep, and see who used it. Or write to {1}; \
         the same page says what to write. It costs nothing, and you need not say why. We ask for no more proof of who you are \
         than is needed to be sure that it is you.",
        "打开{0}，登录后即可查阅、复制、更正我们保存的您的信息，并了解谁使用过；也可以联系{1}，需要写明哪些内容见同一页面。不收取费用，\
         您也无需说明理由。我们只会要求为确认您本人身份所必需的信息。",
        &[my, officer],
    );
    let facts = Right::ALL.iter().filter(|right| is_given(scribe, **right)).map(|right| {
        let (name, what) = right_words(*right);
        (scribe.words(name), vec![scribe.words(what)])
    });
    let refused = scribe.say(
        "If we cannot do what you ask, we say why, name the law, and tell you where you can complain. Nobody is treated worse \
         for using a right.",
        "如无法满足您的请求，我们会说明理由和法律依据，并告知投诉途径。不会因为您行使权利而对您区别对待。",
    );
    let learn = scribe.fill(
        "More, with examples: {0}.",
        "更多说明和示例：{0}。",
        &[scribe.link(
            "Your rights, and how to use them",
            "您的权利与行使方法",
            &format!("{}/rights", links.learn),
        )],
    );
    let mut blocks = vec![Block::Paragraph(how), Block::Facts(facts.collect())];
    blocks.extend(how_soon(scribe));
    blocks.extend([refused, learn].map(Block::Paragraph));
    blocks
}

/// How soon somebody is answered who asks for his data, under each law that has a number.
fn how_soon(scribe: &Scribe<'_>) -> Vec<Block> {
    let mut by_term: Vec<(Term, Vec<Line>)> = Vec::new();
    for law in &scribe.laws {
        let Some(term) = within(scribe, law) else { continue };
        match by_term.iter_mut().find(|(known, _)| *known == term) {
            Some((_, laws)) => laws.push(scribe.law(law)),
            None => by_term.push((term, vec![scribe.law(law)])),
        }
    }
    let terms: Vec<Line> = by_term
        .into_iter()
        .map(|(within, laws)| scribe.fill("{0}: {1}", "{0}：{1}", &[scribe.list(laws), term(scribe, within)]))
        .collect();
    if terms.is_empty() {
        return Vec::new();
    }
    let begin = scribe.say(
        "We answer without delay, and at the latest, counted from the day on which your request arrives:",
        "我们会尽快答复，自收到请求之日起最迟不超过：",
    );
    let longer = scribe.say(
        "Should a difficult case take longer where the law allows it, we tell you so, and why, before that time is over.",
        "情况复杂、法律允许延长的，我们会在期限届满之前告知您并说明原因。",
    );
    vec![Block::Paragraph(begin), Block::List(terms), Block::Paragraph(longer)]
}

/// The shortest time that a law leaves for the answer to somebody who wants to see his data.
fn within(scribe: &Scribe<'_>, law: &Pack) -> Option<Term> {
    let facts = json!({
        "right": "access", "extended": false, "full_declaration": false, "by_minor_or_guardian": false, "unfounded_or_excessive": false,
        "solely_automated": false,
    });
    let heard = ask(law, "request", &facts, scribe.on)?;
    let duties = heard.owed().filter(|(act, _, _)| *act == "answer");
    let terms = duties.filter_map(|(_, rule, owed)| Some(rule.duties.get(owed.duty)?.clock.as_ref()?.within));
    terms.min_by_key(|term| (term.unit() as u8, term.count()))
}

fn term(scribe: &Scribe<'_>, term: Term) -> Line {
    let (one, many, chinese) = match term.unit() {
        Unit::Hours => ("hour", "hours", "小时"),
        Unit::Days => ("day", "days", "天"),
        Unit::WorkingDays => ("working day", "working days", "个工作日"),
        Unit::Weeks => ("week", "weeks", "周"),
        Unit::Months => ("month", "months", "个月"),
        Unit::Years => ("year", "years", "年"),
    };
    let unit = scribe.of(if term.count() == 1 { one } else { many }, chinese);
    let count = Line::own(term.count().to_string());
    scribe.fill("{0} {1}", "{0}{1}", &[count, Line::own(unit)])
}

/// Does some law that applies give this right? The usual ones are given to everybody.
fn is_given(scribe: &Scribe<'_>, right: Right) -> bool {
    match right {
        Right::Explanation | Right::Relatives => scribe.is_under("cn"),
        Right::Know
        | Right::Access
        | Right::Port
        | Right::Correct
        | Right::Erase
        | Right::Restrict
        | Right::Object
        | Right::Withdraw
        | Right::Decision
        | Right::Complain => true,
    }
}

/// What a right is called, and how it is used.
const fn right_words(right: Right) -> (Words, Words) {
    match right {
        Right::Know => (
            both("Know", "知情"),
            both(
                "Ask what we keep about you, why, until when, and who has received or looked at it.",
                "您可以了解我们保存了您的哪些信息、为什么保存、保存到何时，以及谁收到过、谁查看过。",
            ),
        ),
        Right::Access => (
            both("See and copy", "查阅、复制"),
            both("Look at your data, and have a copy of it.", "您可以查阅您的个人信息并获取副本。"),
        ),
        Right::Port => (
            both("Take it with you", "转移"),
            both(
                "The copy is in a form that other programs can read; where possible we send it to whom you name.",
                "副本采用其他程序可以读取的格式；符合条件的，我们可以按您的要求转移给您指定的接收方。",
            ),
        ),
        Right::Correct => (
            both("Correct", "更正、补充"),
            both(
                "Put right what is wrong and add what is missing.",
                "信息不准确或不完整的，您可以更正、补充。",
            ),
        ),
        Right::Erase => (
            both("Erase, and close the account", "删除、注销账户"),
            both(
                "We tell you beforehand what a law makes us keep, and for how long; everything else is erased for good, and \
                 you get a certificate.",
                "操作前会告诉您哪些信息依法必须保留、保留多久；其余信息彻底删除，并向您出具删除证明。",
            ),
        ),
        Right::Restrict => (
            both("Restrict", "限制处理"),
            both(
                "Have us keep your data without using it, for instance while a question is open.",
                "您可以要求我们仅保存而不使用您的信息，例如在争议解决期间。",
            ),
        ),
        Right::Object => (
            both("Object", "拒绝、反对"),
            both(
                "Say no to a use that does not rest on your consent, above all to advertising.",
                "对于不以同意为依据的使用，您可以表示反对，尤其可以随时拒绝广告推送。",
            ),
        ),
        Right::Withdraw => (
            both("Take a consent back", "撤回同意"),
            both("At any time, as easily as you gave it.", "可以随时撤回，与同意时一样方便。"),
        ),
        Right::Decision => (
            both("Have a person decide", "拒绝自动化决策"),
            both(
                "What matters to you is not decided by a machine alone: you can ask for a person.",
                "对您权益有重大影响的决定，您有权拒绝仅由自动化方式作出，并要求人工处理。",
            ),
        ),
        Right::Explanation => (
            both("Have it explained", "要求解释说明"),
            both("Ask us to explain any rule in this notice.", "您可以要求我们解释本政策中的任何处理规则。"),
        ),
        Right::Relatives => (
            both("For somebody who has died", "逝者近亲属"),
            both(
                "Close relatives can see, copy, correct and erase the data, unless the person had ruled otherwise.",
                "自然人死亡的，其近亲属可以依法查阅、复制、更正、删除逝者的相关信息；逝者生前另有安排的除外。",
            ),
        ),
        Right::Complain => (
            both("Complain", "投诉"),
            both(
                "To us, to an authority, to a court: see “Questions and complaints”.",
                "您可以向我们反映，向监管部门投诉、举报，或者向法院起诉，见“联系我们与投诉”。",
            ),
        ),
    }
}

pub(super) fn minors(scribe: &Scribe<'_>) -> Vec<Block> {
    let officer = || Line::contact(&scribe.policy.shop.officer.contact);
    let lines = match scribe.policy.shop.minors {
        None => return Vec::new(),
        Some(Minors::NotServed) => vec![
            scribe.say(
                "Our shop is not for people under 18, and we do not knowingly keep data about them.",
                "我们不向未满十八周岁的未成年人提供服务，也不会在知情的情况下收集其个人信息。",
            ),
            scribe.fill(
                "If you are a parent or guardian and find that a child has given us data, write to {0}. We erase it.",
                "如果您是监护人，发现孩子向我们提供了个人信息，请联系{0}，我们会予以删除。",
                &[officer()],
            ),
        ],
        Some(Minors::WithGuardian) => vec![
            scribe.say(
                "Whoever may not decide alone yet needs the consent of a parent or guardian, and we ask for it before we keep \
                 anything: in China under the age of 14, in the Union under 16 or what the member state says, elsewhere as \
                 the law there says.",
                "不能独立作出同意的未成年人，须由父母或其他监护人同意，我们会在收集之前征得同意：在中国为不满十四周岁；在欧盟为不满十六周岁或成员国\
                 规定的年龄；其他地区依当地法律。",
            ),
            scribe.say(
                "The rules for a child’s data are stricter: what the order does not need is not asked of a child, and what is \
                 kept is protected as sensitive data is.",
                "儿童个人信息适用更严格的规则：不向儿童收集订单不需要的信息；已收集的信息按敏感个人信息保护。",
            ),
            scribe.fill(
                "A guardian can see, correct and erase the child’s data and take the consent back: write to {0}.",
                "监护人可以代为查阅、更正、删除孩子的个人信息并撤回同意：请联系{0}。",
                &[officer()],
            ),
        ],
    };
    lines.into_iter().map(Block::Paragraph).collect()
}

/// Only where a law makes the signal binding. LAW: Cal. Code Regs. tit. 11, 7025.
pub(super) fn signals(scribe: &Scribe<'_>) -> Vec<Block> {
    let facts = json!({ "gpc": true, "known_customer": true });
    let is_binding = |law: &&&Pack| {
        ask(law, "signal", &facts, scribe.on)
            .and_then(|heard| heard.yes("mandatory"))
            .is_some_and(|(mandatory, _)| mandatory)
    };
    let laws: Vec<Line> = scribe.laws.iter().filter(is_binding).map(|law| scribe.law(law)).collect();
    if laws.is_empty() {
        return Vec::new();
    }
    vec![
        Block::Paragraph(scribe.say(
            "If your browser sends the signal Global Privacy Control (GPC), we take it for your no to the sale and the sharing \
             of your data. You need do nothing else, and the page shows that the signal was honoured.",
            "如果您的浏览器发送全球隐私控制（GPC）信号，我们视为您拒绝出售和共享您的个人信息，您无需再做任何操作，页面会显示信号已生效。",
        )),
        Block::Paragraph(scribe.fill(
            "The law makes it binding in: {0}. We honour it from everybody.",
            "以下地区的法律规定必须遵从该信号：{0}。我们对所有人一律遵从。",
            &[scribe.list(laws)],
        )),
    ]
}
