//! Is what visitors choose obeyed? A real browser visits a page before any choice, after a refusal, after a yes and after a
//! withdrawal, and writes down every request, cookie and storage key. What was not allowed at its stage is a finding.
//!
//! What belongs to which purpose and recipient is read from the page's own answer of `init` (docs/spec/window.md), from what the
//! page marks as held, and from a file of expectations. The browser is driven over a pipe, with a profile of its own that is
//! removed: no port is opened, and nothing of the profile of whoever runs it is used.
//!
//! INVARIANT: values of cookies and of storage, and query strings, are dropped where they are met: they may be personal. Only names,
//! hosts and paths are kept.
//!
//! [`visit`] looks, [`judge`] judges what was seen and is pure, [`Report`] is what is handed on.

pub mod banner;
mod browser;
mod error;
pub mod evidence;
pub mod expect;
pub mod judge;
pub mod link;
mod pattern;
mod report;
mod trace;
mod visit;
mod words;

pub use banner::Buttons;
pub use error::Error;
pub use expect::Declared;
pub use pattern::Pattern;
pub use report::{Clicks, Notice, Owned, Report, Screenshot, StageReport, Verdict};
pub use trace::{Belongs, Held, Kept, Place, Request, Stage, Stored, Way};
pub use visit::{Patience, Sandbox, Settings, Visit, visit};
pub use words::{Language, Table};
