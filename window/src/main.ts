// The window on a page: reads its own script element, puts core, gate and stage together, and gives the shop
// `window.strongroom`.

import type { Choices, Source } from "./contract";
import { makeCore, type Outcome, type State } from "./core";
import { h } from "./dom";
import { makeGate } from "./gate";
import { standing, webGround } from "./net";
import { makeStage } from "./stage";
import { optional } from "./state";

/** What a shop's scripts may ask of the window. */
export interface Strongroom {
  /** Whether a purpose may run now, and for this recipient if one is named. False until the server has answered. */
  allows(purpose: string, recipient?: string): boolean;
  /** Hears of `ready`, `change` or `signal`. Gives: what ends the hearing. */
  on: ReturnType<typeof makeCore>["on"];
  /** Opens the privacy settings, or the question about one purpose. */
  open(purpose?: string): void;
  /** Withdraws one purpose, or all that leave a choice. */
  withdraw(purpose?: string): Promise<Outcome>;
  /** Says a choice that a visitor has made in the shop's own settings. */
  choose(choices: Choices): Promise<Outcome>;
  /** What stands now. */
  state(): State;
}

const AWAY: Record<string, string> = {
  en: "Not loaded: the privacy settings cannot be reached at the moment.",
  zh: "暂未加载：目前无法连接隐私设置。",
};

function start(script: HTMLScriptElement, key: string): Strongroom {
  const { lang, theme = "auto", base, css } = script.dataset;
  const address = new URL(base ?? ".", script.src);
  let tongue = lang && lang !== "auto" ? lang : document.documentElement.lang || navigator.language;
  const away = AWAY[tongue.split("-")[0] ?? ""] ?? AWAY["en"]!;
  let seen = standing();

  const core = makeCore(webGround(`${address.href}w/${encodeURIComponent(key)}/`, () => tongue));
  const stage = makeStage(core, theme, (tag) => {
    tongue = tag;
    void core.refresh().then(() => {
      stage.redraw();
      gate.redraw();
      link();
    });
  });
  const gate = makeGate(core, (purpose) => stage.open({ question: purpose }), away);
  const styled = style(css ?? new URL("strongroom.css", script.src).href);
  let own: HTMLElement | null = null;

  // A permanent way back. A shop that has a place for it marks one; else it stands at the end of the page.
  function link(): void {
    const init = core.init();
    own?.remove();
    if (!init || document.querySelector("[data-strongroom-open]:not(.sr *)")) return;
    own = h("p", { class: "sr sr-back", lang: init.notice.language, "data-theme": theme },
      h("button", { type: "button", class: "sr-plain", "data-strongroom-open": true }, init.texts["settings"]));
    document.body.append(own);
  }

  function open(purpose?: string): void {
    const init = core.init();
    if (!init) return stage.tell(away);
    const known = purpose !== undefined && optional(init).some((one) => one.name === purpose);
    void styled.then(() => stage.open(known ? { question: purpose } : "settings"));
  }

  function dispatch(name: string, detail: unknown): void {
    document.dispatchEvent(new CustomEvent(`strongroom:${name}`, { detail }));
  }

  // ORDER: the style first, so that what takes the place of a frame has its size at once and nothing moves.
  core.on("ready", (state) => {
    void styled.then(() => {
      gate.look();
      gate.redraw();
      gate.sweep();
      link();
      stage.greet();
      new MutationObserver(() => gate.look()).observe(document.documentElement, { childList: true, subtree: true });
    });
    dispatch("ready", state);
  });
  core.on("change", (change) => {
    const reload = gate.stop(change.stopped, change.refused) || (change.stopped.length > 0 && "reload" in script.dataset);
    stage.stopped(change.stopped);
    dispatch("change", change);
    // ORDER: the choice is on its way before the page goes: it is kept and sent with keepalive.
    if (reload) setTimeout(() => location.reload(), 600);
  });
  core.on("signal", (honoured) => dispatch("signal", honoured));

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target.closest("[data-strongroom-open]") : null;
    if (!target || event.defaultPrevented) return;
    // Without the server a link goes where it leads: to the page of settings that needs no script.
    if (!core.init() && target.hasAttribute("href")) return;
    event.preventDefault();
    open(target.getAttribute("data-strongroom-open") || undefined);
  });

  // Another tab may have chosen, and a page that comes back from the cache may be older than the choice.
  function lookAgain(event?: Event): void {
    const now = standing();
    if (document.hidden || (now === seen && !(event as PageTransitionEvent | undefined)?.persisted)) return;
    seen = now;
    void core.refresh().then(() => stage.greet());
  }
  document.addEventListener("visibilitychange", lookAgain);
  window.addEventListener("pageshow", lookAgain);
  window.addEventListener("pagehide", () => gate.sweep());

  async function begin(): Promise<void> {
    if (!(await core.refresh())) void styled.then(() => gate.look());
  }
  // A page that is made ready before anybody looks at it asks nothing and leaves nothing.
  if ((document as Document & { prerendering?: boolean }).prerendering) {
    document.addEventListener("prerenderingchange", () => void begin(), { once: true });
  } else {
    void begin();
  }

  return {
    allows: core.allows,
    on: core.on,
    open,
    withdraw: (purpose) => core.withdraw(purpose),
    choose: (choices, source?: Source) => core.choose(choices, source),
    state: core.state,
  };
}

/** Loads the stylesheet, unless the page has it. Gives: when it is there, or when it is clear that it will not be. */
function style(href: string): Promise<void> {
  if (document.querySelector("link[rel=stylesheet][href*='strongroom.css']")) return Promise.resolve();
  return new Promise((done) => {
    document.head.append(h("link", { rel: "stylesheet", href, load: () => done(), error: () => done() }));
  });
}

const script = document.currentScript;
const page = window as Window & { strongroom?: Strongroom };
if (script instanceof HTMLScriptElement && script.dataset["key"] && !page.strongroom) {
  page.strongroom = start(script, script.dataset["key"]);
}
