//! A visit in four stages: before a choice and after a refusal with one fresh profile, after a yes and after its withdrawal with another.

use std::path::PathBuf;
use std::time::Duration;

use crate::Error;
use crate::banner::{self, Buttons, Known};
use crate::browser::{Address, Browser, Point};
use crate::expect::{Declared, Init};
use crate::judge::Seen;
pub use crate::link::Sandbox;
use crate::report::Notice;
use crate::trace::{Stage, Stored};

/// What is visited, and how.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address of the page.
    pub url: String,
    /// The browser's program; nothing to look for one on the path.
    pub browser: Option<PathBuf>,
    /// Whether the browser keeps pages in its sandbox.
    pub sandbox: Sandbox,
    /// How long it waits for what.
    pub patience: Patience,
    /// What is expected of the page, beside what it says itself.
    pub declared: Declared,
}

/// How long a visit waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// A page has settled when it has asked for nothing for so long.
    pub quiet: Duration,
    /// A page is waited for no longer than this.
    pub limit: Duration,
    /// A banner has to be there within this time after the page has settled.
    pub banner: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            quiet: Duration::from_secs(2),
            limit: Duration::from_secs(30),
            banner: Duration::from_secs(3),
        }
    }
}

/// What a visit brought.
#[derive(Debug, Clone)]
pub struct Visit {
    /// Origin and path of the page, where the browser came to.
    pub page: String,
    /// The browser's name and version.
    pub browser: String,
    /// What was seen.
    pub seen: Seen,
    /// What is declared: by the page itself and by the expectations.
    pub declared: Declared,
    /// The notice that the page showed, if it has our window.
    pub notice: Option<Notice>,
    /// Which banner was found.
    pub banner: Option<&'static str>,
    /// The stages that were reached, each with the page as it looked, PNG.
    pub screenshots: Vec<(Stage, Vec<u8>)>,
}

/// Visits a page in its four stages.
///
/// Takes: what to visit; somebody to be told which stage begins. Gives: what was seen; a stage that cannot be reached, because the page has no
/// button that leads there, is absent. Fails: every code of [`Error`] that is about the browser or the page.
pub fn visit(settings: &Settings, begins: &mut dyn FnMut(Stage)) -> Result<Visit, Error> {
    if Address::parse(&settings.url).is_none_or(|address| !address.origin.starts_with("http")) {
        return Err(Error::AddressMalformed);
    }
    begins(Stage::Before);
    let mut browser = Browser::open(settings.browser.as_deref(), settings.sandbox, settings.patience)?;
    let page = browser.go(&settings.url)?;
    let mut walk = Walk::new(settings, &page, browser.product());
    walk.learn(&mut browser)?;
    let known = walk.find_banner(&mut browser, settings.patience.banner)?;
    walk.look(&mut browser, Stage::Before)?;
    walk.visit.banner = known.as_ref().map(|known| known.name);
    walk.visit.seen.banner.was_found = known.is_some();
    let Some(known) = known else {
        walk.visit.seen.requests = browser.requests(&page.host);
        return Ok(walk.visit);
    };
    walk.visit.seen.record.clone_from(&known.buttons.record);
    walk.refuse(&mut browser, &known, begins)?;
    walk.visit.seen.requests = browser.requests(&page.host);
    drop(browser);

    let mut browser = Browser::open(settings.browser.as_deref(), settings.sandbox, settings.patience)?;
    browser.go(&settings.url)?;
    if walk.accept(&mut browser, &known, begins)? {
        walk.withdraw(&mut browser, &known, begins)?;
    }
    walk.visit.seen.requests.extend(browser.requests(&page.host));
    Ok(walk.visit)
}

/// A visit while it lasts.
struct Walk {
    visit: Visit,
    patience: Patience,
}

/// How long a button is looked for behind another one: it may have to appear first.
const BEHIND: Duration = Duration::from_secs(2);
/// What is there already needs no time.
const AT_ONCE: Duration = Duration::from_millis(300);

impl Walk {
    fn new(settings: &Settings, page: &Address, product: &str) -> Walk {
        let seen = Seen { host: page.host.clone(), ..Seen::default() };
        let visit = Visit {
            page: page.text(),
            browser: product.to_owned(),
            seen,
            declared: settings.declared.clone(),
            notice: None,
            banner: None,
            screenshots: Vec::new(),
        };
        Walk { visit, patience: settings.patience }
    }

    /// Learns from the page itself what belongs where.
    fn learn(&mut self, browser: &mut Browser) -> Result<(), Error> {
        self.mark(browser)?;
        let body = browser.init_body();
        let init: Option<Init> = body.and_then(|body| self.visit.declared.add_init(&body));
        let asks = init.as_ref().is_none_or(|init| init.ask);
        self.visit.seen.banner.has_to_ask = asks && self.visit.declared.leaves_a_choice();
        self.visit.notice = init.map(|init| Notice {
            version: init.notice.version,
            digest: init.notice.digest,
            law: init.law,
        });
        Ok(())
    }

    /// Adds what the page marks as held.
    fn mark(&mut self, browser: &mut Browser) -> Result<(), Error> {
        for held in browser.held()? {
            if !self.visit.seen.held.contains(&held) {
                self.visit.seen.held.push(held);
            }
        }
        browser.note_styles()
    }

    /// Which banner is here? The first of which a button can be clicked.
    fn find_banner(&self, browser: &mut Browser, patience: Duration) -> Result<Option<Known>, Error> {
        let all = banner::known(self.visit.declared.buttons.as_ref());
        let selectors: Vec<String> = all.iter().flat_map(|known| of_a_banner(&known.buttons)).collect();
        if browser.find(&selectors, patience)?.is_none() {
            return Ok(None);
        }
        for known in all {
            if browser.find(&of_a_banner(&known.buttons), AT_ONCE)?.is_some() {
                return Ok(Some(known));
            }
        }
        Ok(None)
    }

    /// Writes down what is kept, and how the page looks.
    fn look(&mut self, browser: &mut Browser, stage: Stage) -> Result<(), Error> {
        self.mark(browser)?;
        let kept = browser.kept()?;
        self.visit.seen.stored.extend(kept.into_iter().map(|kept| Stored { stage, kept }));
        self.visit.screenshots.push((stage, browser.screenshot()?));
        Ok(())
    }

    /// Lets the stage run on the page as it is, then on the page loaded anew, and looks.
    fn live(&mut self, browser: &mut Browser, stage: Stage) -> Result<(), Error> {
        browser.settle()?;
        self.mark(browser)?;
        browser.again()?;
        self.look(browser, stage)
    }

    fn refuse(
        &mut self,
        browser: &mut Browser,
        known: &Known,
        begins: &mut dyn FnMut(Stage),
    ) -> Result<(), Error> {
        let Some((clicks, point)) = way_to(browser, &known.buttons.refuse, &known.buttons.settings)? else {
            return Ok(());
        };
        self.visit.seen.banner.refuse_clicks = Some(clicks);
        begins(Stage::Refused);
        browser.begin(Stage::Refused);
        browser.click(point)?;
        self.live(browser, Stage::Refused)?;
        let again = browser.find(&of_a_banner(&known.buttons), self.patience.quiet.min(BEHIND))?;
        self.visit.seen.banner.asked_again = again.is_some();
        Ok(())
    }

    /// Gives whether there was a way.
    fn accept(
        &mut self,
        browser: &mut Browser,
        known: &Known,
        begins: &mut dyn FnMut(Stage),
    ) -> Result<bool, Error> {
        browser.find(&of_a_banner(&known.buttons), self.patience.banner)?;
        let Some((clicks, point)) = way_to(browser, &known.buttons.accept, &known.buttons.settings)? else {
            return Ok(false);
        };
        self.visit.seen.banner.accept_clicks = Some(clicks);
        begins(Stage::Accepted);
        browser.begin(Stage::Accepted);
        browser.click(point)?;
        self.live(browser, Stage::Accepted)?;
        Ok(true)
    }

    fn withdraw(
        &mut self,
        browser: &mut Browser,
        known: &Known,
        begins: &mut dyn FnMut(Stage),
    ) -> Result<(), Error> {
        if let Some(point) = browser.find(&known.buttons.withdraw_at_once, AT_ONCE)? {
            begins(Stage::Withdrawn);
            browser.begin(Stage::Withdrawn);
            browser.click(point)?;
            self.visit.seen.banner.withdraw_clicks = Some(1);
            return self.live(browser, Stage::Withdrawn);
        }
        let way_back = match browser.find(&known.buttons.withdraw, AT_ONCE)? {
            Some(point) => Some(point),
            None => browser.find_way_back()?,
        };
        let Some(way_back) = way_back else { return Ok(()) };
        browser.click(way_back)?;
        let found = match browser.find(&known.buttons.refuse, BEHIND)? {
            Some(point) => Some((1, point)),
            None => way_to(browser, &known.buttons.refuse, &known.buttons.settings)?,
        };
        let Some((further, point)) = found else { return Ok(()) };
        begins(Stage::Withdrawn);
        browser.begin(Stage::Withdrawn);
        browser.click(point)?;
        let clicks = further.saturating_add(1);
        self.visit.seen.banner.withdraw_clicks = Some(clicks);
        self.live(browser, Stage::Withdrawn)
    }
}

/// The way to a button: with how many clicks, and where the last one is. The clicks before it are done.
fn way_to(
    browser: &mut Browser,
    button: &[String],
    settings: &[String],
) -> Result<Option<(u32, Point)>, Error> {
    if let Some(point) = browser.find(button, AT_ONCE)? {
        return Ok(Some((1, point)));
    }
    let Some(opener) = browser.find(settings, AT_ONCE)? else { return Ok(None) };
    browser.click(opener)?;
    Ok(browser.find(button, BEHIND)?.map(|point| (2, point)))
}

/// What tells that a banner asks: its buttons that answer or lead to answers.
fn of_a_banner(buttons: &Buttons) -> Vec<String> {
    buttons.accept.iter().chain(&buttons.refuse).chain(&buttons.settings).cloned().collect()
}
