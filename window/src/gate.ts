// The gate of the page: scripts, frames and pixels that are marked with a purpose wait here until it is allowed, and
// stop when it is withdrawn. What a purpose has left behind in cookies and storage is cleared whenever it may not run.
//
// A script that has run cannot be unrun: it is not loaded again, and `data-reload` asks for a fresh page.

import type { Core } from "./core";
import type { Init } from "./contract";
import { fill, h } from "./dom";
import { QUEUE } from "./net";

const HELD = "script[type='text/plain'][data-purpose],iframe[data-purpose][data-src],img[data-purpose][data-src]";
const PATIENCE = 10_000;
/** A script that ran already may write once more after a withdrawal: its cookies are cleared again at these times. */
const AGAIN = [300, 1_500, 5_000];

export interface Gate {
  /** Looks at every held element of the page: lets go what may, holds what may not. */
  look(): void;
  /** Puts the words of placeholders anew, in the language that is spoken now. */
  redraw(): void;
  /** Clears what purposes that may not run have left behind. */
  sweep(): void;
  /** A purpose was withdrawn or refused. Gives: whether a script of it ran that asks for a fresh page. */
  stop(stopped: string[], refused: string[]): boolean;
}

/** Makes the gate. Takes: the core; how the visitor is asked about one purpose; the words to say without a server. */
export function makeGate(core: Core, ask: (purpose: string) => void, away: string): Gate {
  const taken = new Set<HTMLScriptElement>();
  const ran = new Set<HTMLScriptElement>();
  const once = new Set<Element>();
  const placeholders = new Map<HTMLIFrameElement, HTMLElement>();
  let line = Promise.resolve();

  function may(element: HTMLElement): boolean {
    return core.allows(element.dataset["purpose"] ?? "", element.dataset["recipient"]);
  }

  function look(): void {
    for (const element of document.querySelectorAll<HTMLElement>(HELD)) {
      if (element instanceof HTMLScriptElement) queue(element);
      else if (element instanceof HTMLImageElement) pixel(element);
      else frame(element as HTMLIFrameElement);
    }
    for (const [held, placeholder] of placeholders) {
      if (held.isConnected) continue;
      placeholder.remove();
      placeholders.delete(held);
    }
  }

  // ORDER: one after another, in the order of the page, each asked for again when its turn comes.
  function queue(script: HTMLScriptElement): void {
    if (taken.has(script) || !may(script)) return;
    taken.add(script);
    line = line.then(() => may(script) && script.isConnected ? run(script) : void taken.delete(script));
  }

  function run(held: HTMLScriptElement): Promise<void> {
    const script = document.createElement("script");
    for (const { name, value } of held.attributes) {
      if (name !== "type" && name !== "nonce" && !/^data-(src|type)$/.test(name)) script.setAttribute(name, value);
    }
    if (held.dataset["type"]) script.type = held.dataset["type"];
    script.nonce = held.nonce;
    script.async = held.hasAttribute("async");
    script.text = held.text;
    const source = held.dataset["src"];
    if (source) script.src = source;
    ran.add(held);
    return new Promise((done) => {
      script.onload = script.onerror = () => done();
      setTimeout(done, source && !script.async ? PATIENCE : 0);
      held.after(script);
    });
  }

  function pixel(image: HTMLImageElement): void {
    if (!may(image)) image.removeAttribute("src");
    else if (!image.hasAttribute("src")) image.src = image.dataset["src"] ?? "";
  }

  function frame(held: HTMLIFrameElement): void {
    if (may(held) || once.has(held)) release(held);
    else hold(held);
  }

  function release(held: HTMLIFrameElement): void {
    placeholders.get(held)?.remove();
    placeholders.delete(held);
    held.hidden = false;
    if (!held.hasAttribute("src")) held.src = held.dataset["src"] ?? "";
  }

  function hold(held: HTMLIFrameElement): void {
    if (placeholders.has(held)) return;
    let empty = held;
    if (held.hasAttribute("src")) {
      // A fresh frame in its place: nothing of the old one lives on, and no step is added to the history.
      empty = held.cloneNode(false) as HTMLIFrameElement;
      empty.removeAttribute("src");
      held.replaceWith(empty);
      once.delete(held);
    }
    // The strut has the size of the frame by its attributes, so that nothing on the page moves.
    const strut = h("canvas", { width: empty.offsetWidth, height: empty.offsetHeight, "aria-hidden": "true" });
    const flow = getComputedStyle(empty).display === "inline" ? "" : " sr-block";
    const placeholder = h("div", { class: `sr sr-held${flow}`, "data-theme": document.getElementById("strongroom")?.dataset["theme"] },
      h("div", {}, strut));
    placeholders.set(empty, placeholder);
    describe(empty, placeholder);
    empty.before(placeholder);
    empty.hidden = true;
  }

  function describe(held: HTMLIFrameElement, placeholder: HTMLElement): void {
    const init = core.init();
    const strut = placeholder.querySelector("canvas");
    if (init) placeholder.lang = init.notice.language;
    strut?.nextElementSibling?.remove();
    strut?.after(init ? words(init, held) : h("div", {}, h("p", {}, away)));
  }

  function words({ texts, purposes }: Init, held: HTMLIFrameElement): HTMLElement {
    const purpose = purposes.find((one) => one.name === held.dataset["purpose"]);
    const recipient = purpose?.recipients.find((one) => one.name === held.dataset["recipient"]);
    if (!purpose || (held.dataset["recipient"] && !recipient)) return h("div", {}, h("p", {}, texts["held_unnamed"]));
    const places = { purpose: purpose.label, recipient: recipient?.label ?? "", place: recipient?.place ?? "" };
    const allow = () => {
      // LAW: PIPL 23, 29, 39: a separate consent is answered in a question of its own, never in passing.
      if (purpose.kind === "separate") return ask(purpose.name);
      once.add(held);
      release(held);
      held.focus();
    };
    return h("div", {},
      h("p", {}, h("strong", {}, recipient ? fill(texts["held_from"], places) : held.title)),
      h("p", {}, fill(recipient ? texts["held_who"] : texts["held_why"], places)),
      h("p", {}, purpose.says),
      h("div", { class: "sr-buttons" },
        h("button", { type: "button", class: "sr-button", "data-sr": "once", click: allow },
          purpose.kind === "separate" ? texts["choose"] : texts["allow_once"]),
        h("button", { type: "button", class: "sr-button", "data-strongroom-open": true }, texts["settings"])));
  }

  function redraw(): void {
    for (const [held, placeholder] of placeholders) describe(held, placeholder);
  }

  function sweep(): void {
    const purposes = core.init()?.purposes ?? [];
    const kept = purposes.filter((purpose) => core.allows(purpose.name));
    const gone = purposes.filter((purpose) => !core.allows(purpose.name));
    for (const name of document.cookie.split(/; ?/).map((pair) => pair.split("=")[0] ?? "")) {
      if (name !== "sr" && isOf(name, gone, "cookies") && !isOf(name, kept, "cookies")) forget(name);
    }
    for (const which of ["localStorage", "sessionStorage"] as const) {
      try {
        for (const key of Object.keys(window[which])) {
          if (key !== QUEUE && isOf(key, gone, "storage") && !isOf(key, kept, "storage")) window[which].removeItem(key);
        }
      } catch {
        // A browser that forbids storage has kept nothing in it.
      }
    }
  }

  function stop(stopped: string[], refused: string[]): boolean {
    for (const frame of once) if (refused.includes((frame as HTMLElement).dataset["purpose"] ?? "")) once.delete(frame);
    look();
    sweep();
    if (stopped.length) for (const wait of AGAIN) setTimeout(sweep, wait);
    return [...ran].some((script) => "reload" in script.dataset && stopped.includes(script.dataset["purpose"] ?? ""));
  }

  return { look, redraw, sweep, stop };
}

function isOf(name: string, purposes: Init["purposes"], where: "cookies" | "storage"): boolean {
  return purposes.some((purpose) => purpose[where].some((pattern) => matches(pattern, name)));
}

/** Whether a name is of a pattern, in which `*` stands for any characters. */
export function matches(pattern: string, name: string): boolean {
  const literal = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${literal.join(".*")}$`).test(name);
}

// A cookie goes only under the domain and the path that it was set for, which nobody can read: all that may be are tried.
function forget(name: string): void {
  const parts = location.hostname.split(".");
  const domains = ["", ...parts.map((_, at) => `;domain=${parts.slice(at).join(".")}`)];
  const steps = location.pathname.split("/");
  const paths = new Set(["/", ...steps.flatMap((_, at) => [steps.slice(0, at + 1).join("/"), `${steps.slice(0, at).join("/")}/`])]);
  const secure = location.protocol === "https:" ? ";Secure" : "";
  for (const domain of domains) {
    for (const path of paths) document.cookie = `${name}=;Max-Age=0;path=${path || "/"}${domain}${secure}`;
  }
}
