// Signals: the Global Privacy Control, and the words that confirm that it was followed.

import type { Core } from "./core";
import type { Init } from "./contract";
import { h, type Child } from "./dom";
import { button, labels, type Stage } from "./stage";

/** Whether the browser sends the Global Privacy Control. SOURCE: W3C GPC: true and nothing else counts. */
export function isSignalled(): boolean {
  return (navigator as Navigator & { globalPrivacyControl?: unknown }).globalPrivacyControl === true;
}

/** Whether the visitor is yet to be told that the signal is followed: it is, and they have not confirmed it. */
export function isToConfirm(init: Init): boolean {
  return init.gpc.heard && init.gpc.honoured.some((name) => init.choices[name] !== false);
}

/** The line that says which purposes a signal stops, or nothing. For the banner and the settings. */
export function signalLine(init: Init): Child {
  return init.gpc.heard && init.gpc.honoured.length > 0 && h("p", { class: "sr-signal" },
    h("strong", {}, init.texts.signal_title), init.texts.space, ...explained(init));
}

/**
 * The confirmation that stands alone when nothing else is asked. LAW: 11 CCR 7025(c)(6): a signal that is followed is
 * shown. Confirming it makes it a choice; leaving it alone does not.
 */
export function drawSignal(stage: Stage, core: Core, init: Init): HTMLElement {
  const { texts, gpc } = init;
  const conflict = gpc.conflict.length > 0;
  const say = (names: string[], yes: boolean) => () =>
    stage.say(core.choose(Object.fromEntries(names.map((name) => [name, yes])), "signal"));
  return h("section", { class: "sr-card sr-told", "aria-labelledby": "sr-title" },
    h("div", { class: "sr-body" },
      h("h2", { id: "sr-title", tabindex: -1 }, texts.signal_title),
      h("p", {}, ...explained(init))),
    h("div", { class: "sr-buttons" },
      button(conflict ? texts.signal_keep : texts.ok, "keep", say(gpc.honoured, false)),
      conflict && button(texts.signal_allow, "allow", say(gpc.conflict, true)),
      button(texts.details, "choose", () => stage.open("settings"))));
}

function explained(init: Init): Child[] {
  const { texts, gpc } = init;
  return [
    labels(texts.signal_text, init, gpc.honoured),
    gpc.conflict.length > 0 && texts.space + labels(texts.signal_conflict, init, gpc.conflict),
  ];
}
