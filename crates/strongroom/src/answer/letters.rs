//! The letter with a one-time code.

use policy::record::{Language, Words};
use zeroize::Zeroizing;

use crate::ground::mail::{Letter, MailAddress};

const SUBJECT: Words = Words { en: "Your code", zh: "您的验证码" };

/// The letter. Takes: to whom; the shop's name in this language; the code.
pub(super) fn with_code(to: MailAddress, shop: &str, code: &str, language: Language) -> Letter {
    // As people read numbers aloud.
    let (first, last) = code.split_at_checked(4).unwrap_or((code, ""));
    let text = match language {
        Language::En => format!(
            "{first} {last}\n\nThis is your code for {shop}. It counts for ten minutes, and once.\n\n\
             Give it to nobody: nobody from {shop} will ever ask you for it. If you did not ask for a code, you need do nothing; \
             without it nobody gets in.\n"
        ),
        Language::Zh => format!(
            "{first} {last}\n\n这是您在“{shop}”使用的验证码，十分钟内有效，只能使用一次。\n\n\
             请不要把它告诉任何人，“{shop}”的工作人员也不会向您索要。如果不是您本人操作，请忽略这封邮件；没有验证码，任何人都无法查看您的信息。\n"
        ),
    };
    Letter { to, subject: format!("{} · {shop}", SUBJECT.of(language)), text: Zeroizing::new(text) }
}
