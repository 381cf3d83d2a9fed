// The banner: the first layer. It names every purpose and how many receive data for it, and three answers that are the
// same in element, size, weight and contrast. It lies over the foot of the page, holds no focus and blocks nothing.
//
// LAW: GDPR Art. 7(3), 11 CCR 7004(a)(2): to refuse takes no more steps than to accept.

import type { Core } from "./core";
import type { Choices, Init, Purpose } from "./contract";
import { fill, h } from "./dom";
import { button, labels, type Stage } from "./stage";
import { signalLine } from "./signals";
import { optional, toAll } from "./state";

/** Draws the banner. */
export function drawBanner(stage: Stage, core: Core, init: Init): HTMLElement {
  const { texts } = init;
  const together = optional(init).filter((purpose) => purpose.kind !== "separate");
  const separate = optional(init).filter((purpose) => purpose.kind === "separate").map((purpose) => purpose.name);
  const answer = (choices: Choices) => () => stage.say(core.choose(choices, "banner"));
  const answers = {
    a: button(texts.accept_all, "accept", answer(toAll(init, true))),
    r: button(texts.reject_all, "reject", answer(toAll(init, false))),
    c: button(texts.choose, "choose", () => stage.open("settings")),
  };
  return h("section", { class: "sr-card sr-banner", "aria-labelledby": "sr-title" },
    h("div", { class: "sr-body" },
      h("h2", { id: "sr-title", tabindex: -1 }, fill(texts.banner_title, { shop: init.shop })),
      h("p", {}, texts.banner_text),
      signalLine(init),
      h("ul", { class: "sr-names" }, ...together.map((purpose) => h("li", {},
        h("strong", {}, purpose.label), ` ${recipients(init, purpose)}`))),
      separate.length > 0 && h("p", {}, labels(texts.banner_separate, init, separate)),
      foot(stage, init)),
    h("div", { class: "sr-buttons" }, ...inOrder(init.variant).map((letter) =>
      // No style is written into the page, so its policy for content has nothing to object to.
      Object.assign(answers[letter].style, init.look?.[letter]) && answers[letter])));
}

/** How many receive data for a purpose, in words. */
export function recipients(init: Init, purpose: Purpose): string {
  const count = purpose.recipients.length;
  return fill(init.texts[count === 0 ? "recipients_none" : count === 1 ? "recipients_one" : "recipients_many"], { count });
}

/** The way to the notice, and to the other languages. */
export function foot(stage: Stage, init: Init): HTMLElement {
  return h("p", { class: "sr-foot" },
    h("a", { href: init.notice.url }, init.texts.notice_link),
    ...init.notice.languages.filter(({ tag }) => tag !== init.notice.language).map(({ tag, name }) =>
      h("button", { type: "button", class: "sr-plain", lang: tag, "data-sr": `speak-${tag}`, click: () => stage.speak(tag) }, name)));
}

// INVARIANT: reject is never later than second. An order that breaks this is not shown.
function inOrder(variant: string): ("a" | "r" | "c")[] {
  const order = /^(arc|rac|rca|cra)$/.test(variant) ? variant : "arc";
  return order.split("") as ("a" | "r" | "c")[];
}
