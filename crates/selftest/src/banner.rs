//! Where the buttons of a banner are: our own window's, those of banners that are widely used, and those that are named by hand.

use serde::Deserialize;

use crate::Pattern;

/// The buttons of a banner, as selectors of CSS; of several the first that can be clicked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Buttons {
    /// Accepts everything.
    pub accept: Vec<String>,
    /// Refuses everything.
    pub refuse: Vec<String>,
    /// Opens the settings, from the banner.
    pub settings: Vec<String>,
    /// Opens the settings later, where everything can be refused.
    pub withdraw: Vec<String>,
    /// Withdraws everything by itself.
    pub withdraw_at_once: Vec<String>,
    /// What the banner keeps on the device to remember what was chosen: cookies and storage keys.
    pub record: Vec<Pattern>,
}

/// A banner that is known by its buttons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    /// The name of the library.
    pub(crate) name: &'static str,
    pub(crate) buttons: Buttons,
}

/// The name under which buttons stand that were named by hand.
pub(crate) const BY_HAND: &str = "by-hand";
/// Our own.
pub(crate) const OURS: &str = "strongroom";

/// All that are known, in the order in which they are looked for.
pub(crate) fn known(by_hand: Option<&Buttons>) -> Vec<Known> {
    let by_hand = by_hand.map(|buttons| Known { name: BY_HAND, buttons: buttons.clone() });
    by_hand.into_iter().chain(KNOWN.iter().map(Row::known)).collect()
}

/// The selectors of one library.
struct Row {
    name: &'static str,
    accept: &'static [&'static str],
    refuse: &'static [&'static str],
    settings: &'static [&'static str],
    withdraw: &'static [&'static str],
    withdraw_at_once: &'static [&'static str],
    record: &'static [&'static str],
}

impl Row {
    fn known(&self) -> Known {
        let list = |selectors: &[&str]| selectors.iter().map(|selector| (*selector).to_owned()).collect();
        Known {
            name: self.name,
            buttons: Buttons {
                accept: list(self.accept),
                refuse: list(self.refuse),
                settings: list(self.settings),
                withdraw: list(self.withdraw),
                withdraw_at_once: list(self.withdraw_at_once),
                record: self.record.iter().map(|name| Pattern::new(*name)).collect(),
            },
        }
    }
}

const KNOWN: &[Row] = &[
    // SOURCE: docs/spec/window.md, "On the device"; window/src/stage.ts.
    Row {
        name: OURS,
        accept: &["#strongroom [data-sr=\"accept\"]"],
        refuse: &["#strongroom [data-sr=\"reject\"]"],
        settings: &["#strongroom [data-sr=\"choose\"]"],
        withdraw: &["[data-strongroom-open=\"\"]"],
        withdraw_at_once: &[],
        record: &["sr", "srv", "sr-queue"],
    },
    // SOURCE: vanilla-cookieconsent 3, "API reference" and "Custom attribute".
    Row {
        name: "vanilla-cookieconsent",
        accept: &["#cc-main .cm [data-role=\"all\"]", "#cc-main .pm [data-role=\"all\"]"],
        refuse: &["#cc-main .cm [data-role=\"necessary\"]", "#cc-main .pm [data-role=\"necessary\"]"],
        settings: &["#cc-main .cm [data-role=\"show\"]"],
        withdraw: &["[data-cc=\"show-preferencesModal\"]", "[data-cc=\"show-consentModal\"]"],
        withdraw_at_once: &[],
        record: &["cc_cookie"],
    },
    // SOURCE: klaro 0.7, `consent-notice.jsx` and `consent-modal.jsx`.
    Row {
        name: "klaro",
        accept: &[".klaro .cookie-notice .cm-btn-success", ".klaro .cookie-modal .cm-btn-accept-all"],
        refuse: &[".klaro .cookie-notice .cn-decline", ".klaro .cookie-modal .cn-decline"],
        settings: &[".klaro .cookie-notice .cn-learn-more"],
        withdraw: &["[onclick*=\"klaro.show\"]", ".klaro-open", "a[href=\"#klaro\"]"],
        // Once something was said, its settings have no button that refuses everything.
        withdraw_at_once: &["[onclick*=\"changeAll(false)\"]"],
        record: &["klaro"],
    },
    // SOURCE: @c15t/react 2, `data-testid` of its components.
    Row {
        name: "c15t",
        accept: &[
            "[data-testid=\"consent-banner-accept-button\"]",
            "[data-testid=\"consent-widget-footer-accept-button\"]",
        ],
        refuse: &[
            "[data-testid=\"consent-banner-reject-button\"]",
            "[data-testid=\"consent-widget-reject-button\"]",
        ],
        settings: &["[data-testid=\"consent-banner-customize-button\"]"],
        withdraw: &["[data-testid=\"consent-dialog-link\"]", "[data-c15t-trigger]"],
        withdraw_at_once: &[],
        record: &["c15t", "c15t-*", "c15t:*"],
    },
];
