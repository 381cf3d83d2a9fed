// The privacy settings: the second layer, and the way back at any time. Nothing is ticked for anybody: a tick that is
// shown was made by the visitor. A first visit gathers answers and saves them together; later a tick takes effect at
// once, so that withdrawing takes two clicks from any page. Separate consents are answered one by one.

import type { Core } from "./core";
import type { Init, Purpose } from "./contract";
import { foot, recipients } from "./banner";
import { h, type Child } from "./dom";
import { button, type Stage } from "./stage";
import { signalLine } from "./signals";
import { isFirst, mayRun, optional, toAll } from "./state";

/** Draws the settings. */
export function drawSettings(stage: Stage, core: Core, init: Init): HTMLElement {
  const { texts } = init;
  const first = isFirst(init) && !core.state().waiting;
  const together = optional(init).filter((purpose) => purpose.kind !== "separate");
  const separate = optional(init).filter((purpose) => purpose.kind === "separate");
  const necessary = init.purposes.filter((purpose) => purpose.kind === "necessary");
  const ticks = together.map((purpose) => tickOf(stage, core, init, purpose, first));
  const all = (yes: boolean) => () => stage.say(core.choose(toAll(init, yes)), first);
  const save = () => {
    const said = together.map((purpose, at) => [purpose.name, isYes(purpose, ticks[at]!.checked)] as const);
    const spite = said.filter(([name, yes]) => yes && inSpite(init, name));
    const rest = core.choose(Object.fromEntries(said.filter((one) => !spite.includes(one))));
    stage.say(spite.length ? rest.then(() => core.choose(Object.fromEntries(spite), "signal")) : rest);
  };
  return h("section", { class: "sr-card sr-settings", role: "dialog", "aria-labelledby": "sr-title" },
    h("div", { class: "sr-body" },
      h("h2", { id: "sr-title", tabindex: -1 }, texts.settings),
      h("p", {}, first ? texts.settings_first : texts.settings_later),
      signalLine(init),
      ...group(texts.group_together, "", together.map((purpose, at) => item(init, purpose, ticked(init, purpose, ticks[at]!)))),
      ...group(texts.group_separate, texts.group_separate_text, separate.map((purpose) =>
        item(init, purpose, asked(stage, core, init, purpose, false)))),
      ...group(texts.group_necessary, texts.group_necessary_text, necessary.map((purpose) => item(init, purpose))),
      foot(stage, init)),
    h("div", { class: "sr-buttons" },
      button(texts.accept_all, "accept", all(true)),
      button(texts.reject_all, "reject", all(false)),
      first ? button(texts.save, "save", save) : button(texts.close, "close", () => stage.close())));
}

/** Draws one question alone: where a page needs a consent that is asked separately. */
export function drawQuestion(stage: Stage, core: Core, init: Init, name: string): HTMLElement | null {
  const purpose = optional(init).find((one) => one.name === name);
  return purpose ? h("section", { class: "sr-card sr-settings", role: "dialog", "aria-labelledby": "sr-title" },
    h("div", { class: "sr-body" },
      h("h2", { id: "sr-title", tabindex: -1 }, purpose.label),
      h("p", {}, purpose.says),
      who(init, purpose, true),
      asked(stage, core, init, purpose, true),
      foot(stage, init)),
    h("div", { class: "sr-buttons" }, button(init.texts.close, "close", () => stage.close()))) : null;
}

function group(title: string | undefined, text: string | undefined, items: HTMLElement[]): Child[] {
  return items.length ? [h("h3", {}, title), text && h("p", {}, text), h("ul", { class: "sr-items" }, ...items)] : [];
}

function item(init: Init, purpose: Purpose, control?: HTMLElement): HTMLElement {
  return h("li", {},
    h("div", { class: "sr-head" }, h("h4", { id: `sr-of-${purpose.name}` }, purpose.label),
      control?.tagName === "LABEL" && control),
    h("p", {}, purpose.says),
    who(init, purpose, purpose.kind === "separate"),
    control?.tagName !== "LABEL" && control);
}

/** Who receives data for a purpose, and where. Told at once where the consent is separate, else on demand. */
function who(init: Init, purpose: Purpose, atOnce: boolean): HTMLElement {
  const count = recipients(init, purpose);
  const list = h("ul", { class: "sr-who" }, ...purpose.recipients.map((one) => h("li", {}, `${one.label} · ${one.place}`)));
  if (!purpose.recipients.length) return h("p", {}, count);
  return atOnce ? h("div", {}, h("p", {}, count), list) : h("details", {}, h("summary", { "data-sr": `who-${purpose.name}` }, count), list);
}

// Where a purpose runs unless somebody objects, a tick says the objection: so nothing is ticked before they do.
function objects(purpose: Purpose): boolean {
  return purpose.kind === "interest" || purpose.on_by_default === true;
}

// A yes in spite of a signal counts only when it is said as one. The settings show the signal above it.
function inSpite(init: Init, name: string): boolean {
  return init.gpc.honoured.includes(name);
}

function isYes(purpose: Purpose, checked: boolean): boolean {
  return checked !== objects(purpose);
}

function tickOf(stage: Stage, core: Core, init: Init, purpose: Purpose, first: boolean): HTMLInputElement {
  const tick = h("input", {
    type: "checkbox",
    "data-sr": `tick-${purpose.name}`,
    "aria-labelledby": `sr-to-${purpose.name} sr-of-${purpose.name}`,
    change: () => {
      const source = inSpite(init, purpose.name) ? "signal" : "preferences";
      if (!first) stage.say(core.choose({ [purpose.name]: isYes(purpose, tick.checked) }, source), false);
    },
  });
  tick.checked = mayRun(purpose, core.state().choices) !== objects(purpose);
  return tick;
}

function ticked(init: Init, purpose: Purpose, tick: HTMLInputElement): HTMLElement {
  const word = purpose.kind === "interest" ? init.texts.object : objects(purpose) ? init.texts.opt_out : init.texts.allow;
  return h("label", {}, tick, h("span", { id: `sr-to-${purpose.name}` }, word));
}

/** A separate consent with its own two answers, and what was said so far. */
function asked(stage: Stage, core: Core, init: Init, purpose: Purpose, closes: boolean): HTMLElement {
  const { texts } = init;
  const said = core.state().choices[purpose.name];
  const answer = (yes: boolean) => () => stage.say(core.choose({ [purpose.name]: yes }), closes);
  const about = { "aria-describedby": closes ? "sr-title" : `sr-of-${purpose.name}` };
  return h("div", { class: "sr-asked" },
    h("p", {}, said === undefined ? texts.undecided : said ? texts.agreed : texts.disagreed),
    h("div", { class: "sr-buttons" },
      button(texts.agree, `agree-${purpose.name}`, answer(true), about),
      button(said ? texts.withdraw : texts.disagree, `disagree-${purpose.name}`, answer(false), about)));
}
