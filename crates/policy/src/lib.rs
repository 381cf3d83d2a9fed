//! The shop's policy file: what it says, whether it holds together, what it allows.
//!
//! A shop writes what it promises its customers in one TOML file. This crate reads it ([`check`], with findings like a
//! compiler's), gives its names numbers that are never reused ([`Registry`]), turns both into a table ([`compile`]), and
//! answers from that table: may this flow happen ([`decide`]), when is a purpose's time over ([`Compiled::layout`]), what
//! is a value's one form ([`Normaliser`]), how is it shown to those who need not see it all ([`Mask::apply`]), what
//! did a new version change ([`diff`]), what do the laws that apply make of it ([`check_lawful`], by packs of `rulebook`), and
//! what does the shop enter in its record of processing activities ([`record`]). [`notice`] is the policy as the people
//! read it whose data it is, in each of its languages. [`interview`] writes a policy out of ten answers, and [`dpv`] writes one
//! in the words of other tools.
//!
//! Everything here is a pure function of its arguments: no clock, no files, no environment, no randomness, no state.
//! Nothing panics, whatever the input. The format and every rule stand in `docs/spec/policy.md`, written so that a
//! stranger can build the same again.
//!
//! ```
//! use policy::{Act, ActSet, Answer, Facts, FieldMask, Flow, Registry};
//!
//! let text = include_str!("../../../examples/harbour-hill/shop.toml");
//! let report = policy::check(text, "shop.toml", jiff::civil::date(2026, 11, 22));
//! let policy = report.policy.ok_or("the example has no errors")?;
//! let registry = Registry::default().extended_by(&policy)?;
//! let compiled = policy::compile(&policy, &registry)?;
//!
//! let order = compiled.find_kind("order").ok_or("declared")?;
//! let delivery = compiled.find_purpose("delivery").ok_or("declared")?;
//! let field = |name| order.find_field(name).map(|field| field.ordinal).ok_or("declared");
//! let (address, phone, amount) = (field("address")?, field("phone")?, field("amount")?);
//!
//! let facts = Facts { acts: ActSet::ALL, purposes: [delivery.ordinal].into_iter().collect(), ..Facts::default() };
//! let fields = FieldMask::only(address).with(phone).with(amount);
//! let flow = Flow { act: Act::Reveal, kind: order.ordinal(), fields, purpose: Some(delivery.ordinal), recipient: None };
//! let decision = policy::decide(&compiled, &facts, &flow);
//!
//! assert_eq!(decision.answer, Answer::Yes);
//! assert_eq!(decision.masked, FieldMask::only(phone)); // 138****5678
//! assert_eq!(decision.refused, FieldMask::only(amount)); // outside_purpose
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod check;
mod code;
mod colour;
mod compile;
mod diff;
pub mod dpv;
mod draft;
mod file;
mod finding;
mod gate;
mod home;
pub mod interview;
mod law;
mod lawful;
pub mod learn;
mod limit;
mod mask;
mod model;
mod name_table;
mod normalise;
pub mod notice;
mod period;
mod read;
mod reason;
pub mod record;
mod region;
mod registry;
mod render;
mod retention;
mod set;
mod suggest;
pub mod taxonomy;
mod text;
mod value;
mod words;
mod zone;

pub use check::check;
pub use code::{Code, Severity};
pub use colour::{Colour as Rgb, LEAST_CONTRAST};
pub use compile::{
    Clock, Compiled, CompiledField, CompiledKind, CompiledPurpose, CompiledRecipient, CompiledRole, Grant,
    Start, Terms, compile,
};
pub use diff::{Alone, Change, ChangeCode, Effect, diff, void_choices};
pub use dpv::fideslang;
pub use file::{FileRule, LARGEST_KEPT, MOST_MEDIA, MediaType};
pub use finding::{At, Finding, Label, MOST_FINDINGS, Report};
pub use gate::{Act, ActSet, Agreement, Answer, Decision, Facts, Flow, Standing, Training, decide};
pub use home::{Age, Home, Person};
pub use law::{Citation, Confidence};
pub use lawful::{
    Bar, Barred, Bars, Cited, Due, Reach, Task, Turn, UnderLaw, bars, check_lawful, diff_lawful,
    is_law_that_applies, no_asking_through, packs_that_apply, turns,
};
pub use limit::{Limit, NotALimit};
pub use model::{
    Agreed, Button, Field, Kind, Line, Note, Officer, Policy, Purpose, Recipient, Representative, Role,
    RouteAbroad, Shop, Used, Window,
};
pub use normalise::Normaliser;
pub use period::{After, Anchor, COLLECTED, Keep, Period};
pub use read::keys::{KEYS, Key};
pub use read::{
    FORMAT, LARGEST_FILE, MOST_EVENTS, MOST_FIELDS, MOST_FIELDS_OF_A_KIND, MOST_KINDS, MOST_LANGUAGES,
    MOST_NOTES, MOST_PURPOSES, MOST_RECIPIENTS, MOST_ROLES, MOST_SERVED, MOST_USES,
};
pub use reason::{Reason, ReasonId, Reasons};
pub use region::Region;
pub use registry::{COLLECTED_EVENT, EXTERNAL_ID, FieldEntry, KindEntry, Registry, RegistryFault};
pub use render::{Colour, Options};
pub use retention::{End, Group, Groups, Layout, Life};
pub use set::{FieldMask, FieldMaskIter, PurposeSet, PurposeSetIter, RecipientSet, RecipientSetIter};
pub use suggest::closest;
pub use text::{LONGEST_BODY, LONGEST_NAME, LONGEST_TEXT, Language, Name, Place, Text};
pub use value::{Given, LONGEST_VALUE, MOST_DIGITS, ValueFault};
pub use words::{
    Basis, Channel, Consideration, FieldKind, Index, Mask, Minors, Normalise, RecipientKind, RecipientRole,
    Route, SectionId, ShopRole, Size, Unit, Weight, WindowAnswer,
};
