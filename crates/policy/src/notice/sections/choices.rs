//! What people decide: consents and separate ones, sensitive data, recommendations.

use super::{Block, Line, Scribe, table};
use crate::model::{Purpose, Recipient};
use crate::notice::required::{LINK_SENSITIVE, Required};
use crate::record::words;
use crate::words::Basis;

pub(super) fn choices(scribe: &Scribe<'_>) -> Vec<Block> {
    let by = |basis: Basis| scribe.policy.purposes.iter().filter(move |purpose| purpose.basis == basis);
    let plain: Vec<Line> = by(Basis::Consent).map(|purpose| scribe.text(&purpose.says)).collect();
    let separate: Vec<Line> = by(Basis::SeparateConsent).map(|purpose| apart(scribe, purpose)).collect();
    if plain.is_empty() && separate.is_empty() {
        return Vec::new();
    }
    let mut blocks = vec![Block::Paragraph(scribe.say(
        "What follows happens only if you have said yes. Nothing is ticked for you, no is as easy as yes, and whoever says no \
         can buy all the same.",
        "以下各项只有在您同意之后才会进行。我们不会替您预先勾选；拒绝与同意同样方便；拒绝不影响您购物。",
    ))];
    if !plain.is_empty() {
        blocks.push(Block::Heading {
            id: "choices-consent".to_owned(),
            title: scribe.say("With your consent", "经您同意"),
        });
        blocks.push(Block::List(plain));
    }
    if !separate.is_empty() {
        blocks.push(Block::Heading {
            id: "choices-separate".to_owned(),
            title: scribe.say("With your separate consent, each asked alone", "经您单独同意（逐项单独询问）"),
        });
        blocks.push(Block::List(separate));
    }
    blocks.push(Block::Heading {
        id: "choices-withdraw".to_owned(),
        title: scribe.say("How you take it back", "如何撤回"),
    });
    blocks.push(Block::Paragraph(scribe.fill(
        "{0} says where you switch it off; or write to {1}. It holds at once, from the next moment on. What was done before \
         stays lawful. What we kept for it alone is erased.",
        "在哪里关闭，见{0}；也可以联系{1}。撤回即时生效；撤回之前已经进行的处理仍然有效；仅为该目的保存的信息会被删除。",
        &[
            scribe.link("My choices", "我的选择", scribe.edition.links.choices),
            Line::contact(&scribe.policy.shop.officer.contact),
        ],
    )));
    blocks
}

/// A purpose by separate consent, and what makes it one. LAW: PIPL 23, 29, 39; GDPR 9(2)(a).
fn apart(scribe: &Scribe<'_>, purpose: &Purpose) -> Line {
    let mut why = Vec::new();
    let sensitive = scribe.fields(purpose).iter().filter(|(field, _)| field.sensitive);
    let sensitive: Vec<Line> = sensitive.map(|(field, _)| scribe.text(&field.label)).collect();
    if !sensitive.is_empty() {
        why.push(scribe.fill(
            "it uses sensitive data: {0}",
            "涉及敏感个人信息：{0}",
            &[scribe.list(sensitive)],
        ));
    }
    let named = |wanted: &dyn Fn(&Recipient) -> bool| -> Vec<Line> {
        let recipients = scribe.recipients(purpose).into_iter().filter(|recipient| wanted(recipient));
        recipients.map(|recipient| scribe.text(&recipient.title)).collect()
    };
    let handlers = named(&Scribe::is_handler);
    if !handlers.is_empty() {
        why.push(scribe.fill(
            "data goes to somebody who decides by itself what it does with it: {0}",
            "向其他个人信息处理者提供：{0}",
            &[scribe.list(handlers)],
        ));
    }
    let abroad = named(&|recipient| !scribe.abroad_under(&recipient.place).is_empty());
    if !abroad.is_empty() {
        why.push(scribe.fill("data goes abroad: {0}", "向境外提供：{0}", &[scribe.list(abroad)]));
    }
    let says = scribe.text(&purpose.says);
    if why.is_empty() {
        return says;
    }
    let why = Line::joined(why, scribe.of("; ", "；"));
    scribe.fill("{0}. Asked alone, because {1}.", "{0}。单独询问的原因：{1}。", &[says, why])
}

pub(super) fn sensitive(scribe: &Scribe<'_>, demands: &[Required]) -> Vec<Block> {
    let fields = scribe.sensitive();
    if fields.is_empty() {
        return Vec::new();
    }
    let columns = vec![
        scribe.say("Data", "敏感个人信息"),
        scribe.say("Needed for", "用于"),
        scribe.say("Counts as sensitive by", "认定依据"),
    ];
    let rows = fields.iter().map(|(field, purposes)| {
        let laws: Vec<Line> =
            field.sensitive_by.iter().map(|cite| Line::own(words::citation(cite, scribe.words))).collect();
        let laws =
            if laws.is_empty() { vec![scribe.say("our own judgement", "本店自行认定")] } else { laws };
        let purposes = purposes.iter().map(|purpose| scribe.text(&purpose.says)).collect();
        vec![vec![scribe.text(&field.label)], purposes, laws]
    });
    let caption = scribe.say("Sensitive data that we use", "我们处理的敏感个人信息");
    let mut blocks = vec![table(caption, columns, rows.collect())];
    blocks.push(Block::Paragraph(scribe.say(
        "Why it is necessary: we ask for it only where the purpose named cannot be reached without it, and we use it for \
         nothing else.",
        "处理的必要性：只有在缺少该信息就无法实现所列目的时，我们才会收集，并且不会用于其他目的。",
    )));
    blocks.push(Block::Paragraph(scribe.say(
        "What it means for you: in wrong hands it could be used to pretend to be you, to your loss or your embarrassment. That is \
         why it is kept encrypted, opens only for the purpose named, and every opening is recorded.",
        "对您权益的影响：敏感个人信息一旦泄露或者被非法使用，可能被用于冒用身份，使您的人格尊严、人身或财产安全受到侵害。因此我们加密保存，\
         仅为所列目的打开，并且每次打开都有记录。",
    )));
    if demands.iter().any(|demand| demand.en == LINK_SENSITIVE) {
        blocks.push(Block::Paragraph(scribe.fill(
            "For people in California: {0}. It stops every use of it beyond what you ordered.",
            "加利福尼亚州居民：{0}。选择后，停止超出您所订商品和服务的一切使用。",
            &[scribe.link(
                "Limit the Use of My Sensitive Personal Information",
                "限制使用我的敏感个人信息（Limit the Use of My Sensitive Personal Information）",
                scribe.edition.links.choices,
            )],
        )));
    }
    blocks
}

pub(super) fn automated(scribe: &Scribe<'_>) -> Vec<Block> {
    let purposes = scribe.automated();
    if purposes.is_empty() {
        return vec![Block::Paragraph(scribe.say(
            "There are none. No use in this notice is to choose what you see, to draw up a profile of you, to aim advertisements \
             at you, or to have a machine decide about you.",
            "没有。本政策所列用途中，没有任何一项使用您的个人信息进行个性化推荐、用户画像、定向广告或者自动化决策。",
        ))];
    }
    let columns = vec![
        scribe.say("What for", "用途"),
        scribe.say("From which data", "使用的信息"),
        scribe.say("Begins", "何时开始"),
    ];
    let row = |purpose: &&Purpose| {
        let begins = if purpose.basis.is_consent() {
            scribe.say("only after you have said yes", "仅在您同意之后")
        } else {
            scribe.say("by itself; you can switch it off at any time", "默认开启，您可以随时关闭")
        };
        let fields = scribe.fields(purpose);
        vec![
            vec![scribe.text(&purpose.says)],
            vec![scribe.list(fields.iter().map(|(field, _)| scribe.text(&field.label)))],
            vec![begins],
        ]
    };
    let caption = scribe.say("What is worked out about you", "自动化处理一览");
    let logic = scribe.say(
        "How it works: a program works out from the data named here, and from nothing else, what may interest you.",
        "基本原理：程序仅根据上表所列信息，推算您可能感兴趣的内容，不使用其他信息。",
    );
    let means = scribe.say(
        "What it means: it has a say in which goods or offers you see. You can ask to have it explained, and to have a \
         decision that matters to you made by a person.",
        "对您的影响：它会影响向您展示的商品或优惠。您可以要求我们作出说明；对您权益有重大影响的决定，您有权要求由人工作出。",
    );
    let off = scribe.fill(
        "How to switch it off: {0}. From then on you see what everybody sees, and what was worked out about you is erased.",
        "如何关闭：{0}。关闭后，您看到的内容与所有人相同，已有的推荐标签会被删除。",
        &[scribe.link("My choices", "我的选择", scribe.edition.links.choices)],
    );
    let mut blocks = vec![table(caption, columns, purposes.iter().map(row).collect())];
    blocks.extend([logic, means, off].map(Block::Paragraph));
    blocks
}
