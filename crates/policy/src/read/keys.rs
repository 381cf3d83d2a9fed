//! Every key of the format, in one table: the reader accepts exactly these, misspelt ones are compared with these,
//! and a test compares the specification with these.

/// A key of the policy file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The table it stands in: `""` the top, `purpose` each `[purpose.NAME]`, `purpose.fields` each table in that list.
    pub table: &'static str,
    /// Its name.
    pub key: &'static str,
    /// What it takes, for messages and the specification.
    pub takes: &'static str,
    /// What is assumed without it; `None` when it must be there.
    pub default: Option<&'static str>,
    /// What it says.
    pub means: &'static str,
}

const fn must(table: &'static str, key: &'static str, takes: &'static str, means: &'static str) -> Key {
    Key { table, key, takes, default: None, means }
}

const fn may(
    table: &'static str,
    key: &'static str,
    takes: &'static str,
    default: &'static str,
    means: &'static str,
) -> Key {
    Key { table, key, takes, default: Some(default), means }
}

/// The whole format.
pub const KEYS: &[Key] = &[
    must("", "format", "`1`", "the number of this format"),
    must("", "shop", "a table", "the shop: `[shop]`"),
    may("", "record", "tables by name", "none", "the kinds of record: `[record.NAME]`"),
    may("", "field", "tables by name", "none", "the personal data that records hold: `[field.NAME]`"),
    may("", "purpose", "tables by name", "none", "why it is used: `[purpose.NAME]`"),
    may("", "recipient", "tables by name", "none", "who outside the shop gets it: `[recipient.NAME]`"),
    may("", "role", "tables by name", "none", "who inside the shop may use it: `[role.NAME]`"),
    may(
        "",
        "note",
        "tables by name",
        "none",
        "what the shop adds to its notice in its own words: `[note.NAME]`",
    ),
    may("", "window", "a table", "the window as it comes", "what of the banner the shop sets: `[window]`"),
    must(
        "shop",
        "id",
        "`[a-z][a-z0-9-]*`, 2 to 40 characters",
        "the shop's own name in keys and addresses; it never changes",
    ),
    must("shop", "name", "a text in each language", "the shop's name for people"),
    must(
        "shop",
        "languages",
        "a list of language tags",
        "the languages in which every text exists; the shop's own first",
    ),
    must("shop", "zone", "an IANA time zone", "where the shop's days, months and years end"),
    must(
        "shop",
        "region",
        "a country with a calling code",
        "the home of telephone numbers written without a calling code",
    ),
    must(
        "shop",
        "serves",
        "a list of countries or jurisdictions",
        "whose consumers may buy: the laws that apply",
    ),
    must("shop", "kept_in", "a country or jurisdiction", "where the data is kept; everything else is abroad"),
    must("shop", "officer", "a table", "who answers for personal data"),
    must("shop", "reviewed", "a date", "when a person last read the policy from end to end"),
    must("shop", "review", "a period", "how often that must happen"),
    may(
        "shop",
        "established_in",
        "a country or jurisdiction",
        "where `kept_in` is",
        "where the shop's business has its seat",
    ),
    may(
        "shop",
        "sells_on",
        "a list of `own`, `jd`, `taobao`, `tmall`, `tiktok-shop`, `shopify`, `amazon`",
        "`[\"own\"]`",
        "where it sells: the rules of marketplaces that apply",
    ),
    may(
        "shop",
        "acts_as",
        "`merchant`, `platform_operator`",
        "`merchant`",
        "whether it sells, or runs the market on which others sell",
    ),
    may(
        "shop",
        "address",
        "a text",
        "not said",
        "the name of the business and its address, as a notice gives them",
    ),
    may(
        "shop",
        "persons",
        "a whole number",
        "not said",
        "of how many persons it has data, counted generously; laws have thresholds",
    ),
    may(
        "shop",
        "minors",
        "`not_served`, `with_guardian`",
        "not said",
        "how people are treated who may not decide for themselves yet",
    ),
    may(
        "shop",
        "representative",
        "tables by place",
        "none",
        "who stands for the shop where it has no seat: `[shop.representative.eu]`",
    ),
    must("shop.representative", "name", "a text", "their name"),
    must("shop.representative", "contact", "a text", "how people and authorities reach them"),
    must("shop.officer", "name", "a text", "the name, or the office"),
    must("shop.officer", "contact", "a text", "how people reach them"),
    must("record", "label", "a text in each language", "its name for people"),
    may(
        "record",
        "of",
        "the name of a record kind",
        "belongs to no other",
        "the kind whose records these belong to, one level up",
    ),
    must("record", "fields", "a list of field names", "the fields it holds"),
    may(
        "record",
        "events",
        "a list of names",
        "`[]`",
        "what can happen to it, apart from `collected`, which every record has",
    ),
    may(
        "record",
        "is",
        "a list of the kinds of record that laws know",
        "`[]`",
        "what it is in law: laws say how long it must and may be kept",
    ),
    may(
        "field",
        "kind",
        "`text`, `date`, `integer`, `decimal`, `boolean`, `file`",
        "`text`",
        "what its values are",
    ),
    may(
        "field",
        "media",
        "a list of media types such as `image/jpeg`",
        "none; a `file` must have it",
        "which files are taken, at most 16 types",
    ),
    may(
        "field",
        "at_most",
        "a size such as `500 kB` or `2 MB`",
        "`10 MB` for a `file`",
        "how long a file may be; never above 10 MB, and 1 MB has 1,000,000 bytes",
    ),
    must("field", "category", "a Fideslang data category", "what it is in the taxonomy"),
    must("field", "label", "a text in each language", "its name for people"),
    may(
        "field",
        "normalise",
        "`none`, `text`, `lower`, `email`, `phone`, `digits`, `upper`",
        "`none`",
        "how texts are brought into one form before they are sealed and indexed",
    ),
    may(
        "field",
        "index",
        "`exact`",
        "not searchable",
        "whether records are found by it: `exact` by blind index, equal after normalising",
    ),
    may(
        "field",
        "unique",
        "`true` or `false`",
        "`false`",
        "whether no two subjects may have the same value; needs an index",
    ),
    may(
        "field",
        "mask",
        "`phone`, `email`, `name`, `card`, `id`, `last4`, `first`, `all`",
        "no mask",
        "how it is shown to those who need not see all of it",
    ),
    may("field", "sensitive", "`true` or `false`", "as its category", "whether it needs special care"),
    must("purpose", "use", "a Fideslang data use", "what it is in the taxonomy"),
    must(
        "purpose",
        "basis",
        "`consent`, `separate_consent`, `contract`, `legal_obligation`, `legitimate_interest`, `vital_interest`, `public_task`",
        "why the shop may",
    ),
    must("purpose", "says", "a text in each language", "what it is, for people, in one sentence"),
    must(
        "purpose",
        "fields",
        "a list of fields",
        "what it uses: a field in every kind that holds it, `kind.field` in one, or a table",
    ),
    must("purpose", "keep", "a retention, or `until withdrawn`", "how long it may use them"),
    may(
        "purpose",
        "must_keep",
        "a retention",
        "no law demands it",
        "how long a law demands that they stay, even after an erasure",
    ),
    may("purpose", "at_most", "a retention", "no cap", "the end of `keep` where its event never comes"),
    may(
        "purpose",
        "law",
        "a text, or a text in each language",
        "none",
        "the law behind `must_keep`, as people are shown it",
    ),
    may("purpose", "recipients", "a list of recipients", "`[]`", "whom it shares them with"),
    may(
        "purpose",
        "limit",
        "a limit",
        "`1000 subjects per hour, 5000 per day`",
        "how many persons one credential may reach for it, in any hour and in any 24 hours",
    ),
    may("purpose", "assessed", "a date", "not yet", "when its impact on people was assessed"),
    may(
        "purpose",
        "similar",
        "`true` or `false`",
        "`false`",
        "advertising for the shop's own similar goods, to addresses out of a sale, with a way out each time",
    ),
    may(
        "purpose",
        "ask_again",
        "a period",
        "it stands until it is withdrawn",
        "how long a yes stands: then it ends, and people are asked again",
    ),
    may(
        "purpose",
        "wait",
        "a period",
        "they are not asked again",
        "how long people who said no are left in peace before a page asks them again",
    ),
    may(
        "purpose",
        "label",
        "a text in each language",
        "what it `says`",
        "what it is called where people choose",
    ),
    may(
        "purpose",
        "cookies",
        "a list of names",
        "`[]`",
        "cookies that pages set for it, such as `_ga*`: whoever withdraws has them cleared",
    ),
    may("purpose", "storage", "a list of names", "`[]`", "keys of the browser's storage for it, likewise"),
    must("purpose.fields", "field", "`field` or `kind.field`", "the field"),
    may(
        "purpose.fields",
        "as",
        "`plain` or `masked`",
        "`plain`",
        "whether it is shown whole or through its mask",
    ),
    may("purpose.fields", "optional", "`true` or `false`", "`false`", "whether people may leave it out"),
    must(
        "recipient",
        "kind",
        "`logistics`, `payment`, `marketing`, `marketplace`, `processor`, `authority`, `other`",
        "what it does for the shop; an `authority` signs no agreement",
    ),
    must("recipient", "name", "a text in each language", "its name for people"),
    must("recipient", "in", "a country or jurisdiction", "where it is"),
    may(
        "recipient",
        "agreement",
        "a table",
        "none",
        "the agreement with it; without one in force nothing is shared",
    ),
    may(
        "recipient",
        "acts_as",
        "`processor`, `handler`",
        "`processor` for `logistics` and `processor`, else `handler`",
        "whether it acts on instructions only, or decides by itself",
    ),
    may("recipient", "contact", "a text", "not said", "how people reach it"),
    may(
        "recipient",
        "route",
        "`exempt`, `adequacy`, `standard_contract`, `certification`, `binding_rules`, `security_assessment`, `assessment_filing`, `comparable_contract`, `consent`; or a table of them by place",
        "none",
        "by which route data of people elsewhere reaches it: `\"standard_contract\"`, or `{ cn = \"exempt\", eu = \"standard_contract\" }`",
    ),
    may("recipient", "keep", "a retention", "not said", "how long it may keep what it got"),
    may(
        "recipient",
        "consideration",
        "`none`, `sale`, `exchange`",
        "`none`",
        "what the shop gets for the data: nothing, money, something else of value",
    ),
    may("recipient", "reviewed", "a date", "the day the agreement was signed", "when it was last reviewed"),
    may("recipient", "review", "a period", "no review", "how often that must happen"),
    must("recipient.agreement", "signed", "a date", "its first day"),
    may("recipient.agreement", "until", "a date", "runs on", "its last day"),
    must("role", "label", "a text in each language", "its name for people"),
    must("role", "purposes", "a list of purposes", "the purposes it may use"),
    must("note", "title", "a text in each language", "its heading"),
    must(
        "note",
        "body",
        "a body in each language",
        "what it says, in paragraphs with an empty line between them; at most 4000 characters",
    ),
    may(
        "note",
        "after",
        "`summary`, `shop`, `purposes`, `data`, `sensitive`, `choices`, `recipients`, `sale`, `retention`, `abroad`, `safety`, `automated`, `minors`, `rights`, `signals`, `complaints`, `changes`",
        "at the end",
        "the section of the notice behind which it stands",
    ),
    may(
        "window",
        "order",
        "a list of `accept`, `reject`, `choose`",
        "accept, reject, choose",
        "the order of the three answers; all of them, and `reject` not last",
    ),
    may(
        "window",
        "on",
        "a list of purposes",
        "none",
        "purposes whose switch is on before anybody touched it; only where no law asks for a yes first",
    ),
    may("window", "accept", "a table", "as the window has it", "the button that accepts: `[window.accept]`"),
    may("window", "reject", "a table", "as the window has it", "the button that rejects: `[window.reject]`"),
    may(
        "window",
        "choose",
        "a table",
        "as the window has it",
        "the button that leads to the choices: `[window.choose]`",
    ),
    may("window.button", "label", "a text in each language", "the window’s own words", "what it says"),
    may(
        "window.button",
        "text",
        "a colour: `#rrggbb`",
        "the window’s own",
        "the colour of its text; together with `background`",
    ),
    may(
        "window.button",
        "background",
        "a colour: `#rrggbb`",
        "the window’s own",
        "the colour behind it; together with `text`",
    ),
    may("window.button", "weight", "`usual`, `strong`", "`usual`", "how heavy its text is"),
    may("window.button", "size", "`usual`, `large`", "`usual`", "how large it is"),
];

/// The keys of one table.
pub(crate) fn of_table(table: &str) -> impl Iterator<Item = &'static Key> + Clone {
    KEYS.iter().filter(move |key| key.table == table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{
        Basis, Consideration, FieldKind, Index, Mask, Minors, Normalise, RecipientKind, RecipientRole,
        SectionId, ShopRole, Size, Weight, Word,
    };

    #[test]
    fn the_lists_of_words_are_those_of_the_types() {
        let listed =
            |words: &[&str]| words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        for (table, key, words) in [
            ("field", "kind", FieldKind::WORDS),
            ("field", "normalise", Normalise::WORDS),
            ("field", "index", Index::WORDS),
            ("field", "mask", Mask::WORDS),
            ("purpose", "basis", Basis::WORDS),
            ("recipient", "kind", RecipientKind::WORDS),
            ("recipient", "consideration", Consideration::WORDS),
            ("recipient", "acts_as", RecipientRole::WORDS),
            ("shop", "acts_as", ShopRole::WORDS),
            ("shop", "minors", Minors::WORDS),
            ("note", "after", SectionId::WORDS),
            ("window.button", "weight", Weight::WORDS),
            ("window.button", "size", Size::WORDS),
        ] {
            let key = of_table(table).find(|found| found.key == key).unwrap();
            assert_eq!(key.takes, listed(words), "{table}.{}", key.key);
        }
    }
}
