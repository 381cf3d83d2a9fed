// The stage: the one place where the window shows something. At most one of banner, settings, a single question and the
// confirmation of a signal is open; beside them stands a line that says what has just happened.

import type { Core, Outcome } from "./core";
import type { Init } from "./contract";
import { drawBanner } from "./banner";
import { fill, h, type Child } from "./dom";
import { drawQuestion, drawSettings } from "./preferences";
import { drawSignal, isToConfirm } from "./signals";

/** What can be open. A question is about one purpose. */
export type View = "none" | "banner" | "settings" | "signal" | { question: string };

export interface Stage {
  /** Shows a view because the visitor asked for it: focus goes to its heading, and back when it is closed. */
  open(view: View): void;
  /** Closes what is open without saying anything about any purpose. */
  close(): void;
  /** Shows what has to be shown unasked, if anything: the banner, or the confirmation of a signal. */
  greet(): void;
  /** Draws what is open anew. */
  redraw(): void;
  /** Says aloud and visibly what became of a choice, and closes what asked for it. */
  say(outcome: Promise<Outcome>, closes?: boolean): void;
  /** Says a sentence. */
  tell(text: string): void;
  /** Says that purposes have stopped. */
  stopped(names: string[]): void;
  speak(tag: string): void;
}

const READING_TIME = 12_000;

/** Makes the stage. Takes: the core; the theme that the shop wishes; how another language is asked for. */
export function makeStage(core: Core, theme: string, speak: (tag: string) => void): Stage {
  const place = h("div", {});
  const line = h("div", { class: "sr-line", role: "status" });
  const root = h("div", { id: "strongroom", class: "sr", "data-theme": theme }, place, line);
  let view: View = "none";
  let opener: HTMLElement | null = null;
  let news = "";
  let timer = 0;

  function draw(init: Init): HTMLElement | null {
    if (view === "banner") return drawBanner(stage, core, init);
    if (view === "settings") return drawSettings(stage, core, init);
    if (view === "signal") return drawSignal(stage, core, init);
    return view === "none" ? null : drawQuestion(stage, core, init, view.question);
  }

  function redraw(): void {
    const init = core.init();
    if (!init) return;
    // ORDER: first in the page, so that the keyboard and a screen reader meet it first; it is laid over the page, so
    // nothing moves.
    if (!root.isConnected) document.body.prepend(root);
    root.lang = init.notice.language;
    const focused = place.contains(document.activeElement) ? document.activeElement?.getAttribute("data-sr") : null;
    const scrolled = place.querySelector(".sr-body")?.scrollTop ?? 0;
    const drawn = draw(init);
    place.replaceChildren(...(drawn ? [drawn] : []));
    const { classList } = document.documentElement;
    classList.toggle("sr-open", drawn !== null);
    classList.toggle("sr-far", view === "settings");
    const body = place.querySelector(".sr-body");
    if (body) body.scrollTop = scrolled;
    if (focused) place.querySelector<HTMLElement>(`[data-sr="${focused}"]`)?.focus({ preventScroll: true });
  }

  function open(next: View): void {
    if (view === "none" || view === "banner" || view === "signal") opener = focusable(document.activeElement);
    view = next;
    redraw();
    const body = place.querySelector(".sr-body");
    if (body) body.scrollTop = 0;
    place.querySelector<HTMLElement>("h2")?.focus();
  }

  function focusable(element: Element | null): HTMLElement | null {
    return element instanceof HTMLElement && element !== document.body && !root.contains(element) ? element : null;
  }

  function close(): void {
    view = "none";
    greet();
    if (view === "none") opener?.focus();
    else place.querySelector<HTMLElement>("h2")?.focus();
    opener = null;
  }

  function greet(): void {
    const init = core.init();
    if (!init || (view !== "none" && view !== "banner" && view !== "signal")) return;
    view = core.state().waiting ? "none" : init.ask ? "banner" : isToConfirm(init) ? "signal" : "none";
    redraw();
  }

  function say(outcome: Promise<Outcome>, closes = true): void {
    if (closes) {
      view = "none";
      if (opener?.isConnected) opener.focus();
      opener = null;
    }
    redraw();
    void outcome.then((became) => {
      const texts = core.init()?.texts;
      if (!texts) return;
      const { receipt_url } = core.state();
      if (became === "stale") view = "banner";
      redraw();
      show(news + texts[became], became === "saved" && receipt_url !== null &&
        h("a", { href: receipt_url }, texts.receipt));
      news = "";
    });
  }

  function show(text: string, ...more: Child[]): void {
    if (!root.isConnected) document.body.prepend(root);
    line.replaceChildren(h("p", {}, text.trim()), ...more.filter((one): one is Node => one instanceof Node));
    clearTimeout(timer);
    timer = window.setTimeout(fade, READING_TIME);
  }

  // What somebody reads, points at or has focused does not go away.
  function fade(): void {
    if (line.matches(":hover,:focus-within")) timer = window.setTimeout(fade, READING_TIME);
    else line.replaceChildren();
  }

  function stopped(names: string[]): void {
    const init = core.init();
    if (!init || !names.length) return;
    news = labels(init.texts.stopped, init, names);
    show(news);
    news += init.texts.space;
  }

  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && (view === "settings" || typeof view === "object")) close();
  });

  const stage: Stage = { open, close, greet, redraw, say, tell: (text) => show(text), stopped, speak };
  return stage;
}

/** A button of the window. All are made here, so that none weighs more than another. */
export function button(text: string | undefined, act: string, run: () => void, more: Record<string, string> = {}): HTMLElement {
  return h("button", { type: "button", class: "sr-button", "data-sr": act, click: run, ...more }, text);
}

/** Fills `{purposes}` of a text with the labels of purposes. */
export function labels(text: string | undefined, init: Init, names: string[]): string {
  const named = init.purposes.filter((purpose) => names.includes(purpose.name)).map((purpose) => purpose.label);
  return fill(text, { purposes: named.join(init.texts.comma ?? ", ") });
}
