//! How long data is kept, what happens then, and how it is protected meanwhile.

use super::{Block, Line, Scribe, table};
use crate::dpv::Measure;
use crate::model::Purpose;
use crate::record::{Words, both};

pub(super) fn retention(scribe: &Scribe<'_>) -> Vec<Block> {
    if scribe.policy.purposes.is_empty() {
        return Vec::new();
    }
    let columns = vec![
        scribe.say("Why", "用途"),
        scribe.say("Which data", "信息"),
        scribe.say("How long", "保存期限"),
        scribe.say("At the latest", "最迟至"),
        scribe.say("What a law wants kept", "法律要求的保存期限"),
    ];
    let row = |purpose: &Purpose| {
        let fields = scribe.fields(purpose);
        vec![
            vec![scribe.text(&purpose.says)],
            vec![scribe.list(fields.iter().map(|(field, _)| scribe.text(&field.label)))],
            vec![scribe.keep(purpose)],
            purpose.at_most.iter().map(|after| scribe.after(after, purpose)).collect(),
            by_law(scribe, purpose).into_iter().collect(),
        ]
    };
    let rows = scribe.policy.purposes.iter().map(row).collect();
    let caption = scribe.say("How long each use lasts", "各项用途的保存期限");
    let several = scribe.say(
        "Where several uses need the same datum, it stays until the last of them is over, and after its own end none of them \
         can use it any more.",
        "同一信息用于多项用途的，保存至最后一项到期为止；任何一项用途到期后，该用途即不能再使用这些信息。",
    );
    let then = scribe.say(
        "When the time is over, the keys to the data are destroyed, at the latest on the Monday that follows. From then on \
         nobody can read it, not even we. Copies in backups go the same way with the next change of keys.",
        "期限届满后，最迟在随后的星期一销毁相应信息的密钥。密钥销毁后，任何人（包括我们）都无法再读取；备份中的副本随下一次密钥更换一并失效。",
    );
    vec![table(caption, columns, rows), Block::Paragraph(several), Block::Paragraph(then)]
}

/// How long, with the latest end and what a law wants, one line each.
pub(super) fn how_long(scribe: &Scribe<'_>, purpose: &Purpose) -> Vec<Line> {
    let mut lines = vec![scribe.keep(purpose)];
    lines.extend(
        purpose
            .at_most
            .as_ref()
            .map(|after| scribe.fill("At the latest {0}", "最迟至{0}", &[scribe.after(after, purpose)])),
    );
    lines.extend(by_law(scribe, purpose).map(|law| {
        scribe.fill(
            "A law wants it kept, even if you ask us to erase it: {0}",
            "即使您要求删除，法律仍要求保存：{0}",
            &[law],
        )
    }));
    lines
}

/// How long a law wants it kept, and which.
fn by_law(scribe: &Scribe<'_>, purpose: &Purpose) -> Option<Line> {
    let after = scribe.after(purpose.must_keep.as_ref()?, purpose);
    Some(match scribe.law_of(purpose) {
        Some(law) => scribe.fill("{0} ({1})", "{0}（{1}）", &[after, law]),
        None => after,
    })
}

pub(super) fn safety(scribe: &Scribe<'_>) -> Vec<Block> {
    let measures = Measure::ALL.iter().map(|measure| scribe.words(measure_words(*measure))).collect();
    let incident = scribe.fill(
        "Should your data leak all the same, we tell you what happened, what it means for you and what you can do, as the law \
         that protects you demands. If you find a weakness, please tell us: {0}.",
        "万一发生个人信息泄露，我们会依照适用的法律告知您发生了什么、可能的影响以及您可以采取的措施。如您发现安全隐患，请告诉我们：{0}。",
        &[Line::contact(&scribe.policy.shop.officer.contact)],
    );
    vec![Block::List(measures), Block::Paragraph(incident)]
}

/// What a measure does, for people.
const fn measure_words(measure: Measure) -> Words {
    match measure {
        Measure::EncryptionAtRest => both(
            "Everything about you is encrypted before it is written anywhere.",
            "您的信息在写入任何地方之前先行加密。",
        ),
        Measure::Keys => both(
            "You have keys of your own; when they are destroyed, your data is gone.",
            "您的信息使用专属密钥加密；密钥销毁，信息即告消失。",
        ),
        Measure::Pseudonymisation => both(
            "Where a number will do in place of your name, a number is used.",
            "能用编号代替姓名的地方，一律使用编号。",
        ),
        Measure::Masks => both(
            "Staff see most values only in part, such as the last digits of a telephone number.",
            "对员工脱敏展示，例如只显示手机号码的部分数字。",
        ),
        Measure::PurposeControl => both(
            "Nothing opens without a purpose that stands in this notice.",
            "不属于本政策所列目的的，任何人都无法打开您的信息。",
        ),
        Measure::Ledger => both(
            "Every use is entered in a ledger that nobody can change without its being seen.",
            "每次使用都记入账本，任何改动都会被发现。",
        ),
        Measure::Deletion => both("What is over is erased by itself.", "到期信息自动删除，无需人工操作。"),
        Measure::Choices => both(
            "Your choices are kept with what you were shown, so that they can be proved.",
            "您的每次选择连同当时展示的内容一并留存，可供核验。",
        ),
        Measure::Training => {
            both("Whoever works with data has learnt how before.", "接触个人信息的员工须先完成培训。")
        }
    }
}
