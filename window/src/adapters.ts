// Adapters: tell what was chosen to those who listen in other words. A second file, for shops that need it:
//
//   <script src="/strongroom-adapters.js" data-use="google shopify gpp"></script>
//
// It stands before strongroom.js. Which purpose stands for which signal is said by the server (`signals`); a signal is
// granted when every purpose that names it is allowed, and denied when no purpose names it.

import type { Choices, Purpose } from "./contract";
import type { Strongroom } from "./main";
import { encode, fields, IDS, type Said, type Section } from "./gpp";

type Signal = (typeof SIGNALS)[number];
type Run = (...taken: unknown[]) => void;
type Any = Record<string, unknown>;

type Page = Window & {
  strongroom?: Strongroom;
  dataLayer?: unknown[];
  Shopify?: { customerPrivacy?: unknown };
  __gpp?: Run & { queue?: IArguments[] };
};

/** SOURCE: Google Consent Mode v2. */
const SIGNALS = [
  "ad_storage", "ad_user_data", "ad_personalization", "analytics_storage",
  "functionality_storage", "personalization_storage", "security_storage",
] as const;
const WAIT = 500;

const page = window as Page;
const use = ((document.currentScript as HTMLScriptElement | null)?.dataset["use"] ?? "").split(/\s+/);

/** The purposes that stand for a signal. */
function purposesOf(signal: Signal | undefined): Purpose[] {
  return page.strongroom?.state().purposes.filter((purpose) => signal && purpose.signals.includes(signal)) ?? [];
}

/** What holds for one signal: granted, denied, or null if no purpose names it. */
function holds(signal: Signal): boolean | null {
  const purposes = purposesOf(signal);
  return purposes.length ? purposes.every((purpose) => page.strongroom?.allows(purpose.name)) : null;
}

function onEvery(run: () => void): void {
  for (const name of ["ready", "change"]) document.addEventListener(`strongroom:${name}`, run);
}

// ── Google Consent Mode v2 ──────────────────────────────────────────────────────────────────────────────────────────

function google(): void {
  const layer = (page.dataLayer ??= []);
  // Google's tag reads the object `arguments` and nothing else.
  function gtag(..._said: unknown[]): void {
    layer.push(arguments);
  }
  const all = (word: (signal: Signal) => string) => Object.fromEntries(SIGNALS.map((signal) => [signal, word(signal)]));
  gtag("consent", "default", { ...all(() => "denied"), wait_for_update: WAIT });
  gtag("set", "ads_data_redaction", true);
  onEvery(() => gtag("consent", "update", all((signal) => (holds(signal) ? "granted" : "denied"))));
}

// ── Shopify's customerPrivacy ───────────────────────────────────────────────────────────────────────────────────────

const SHOPIFY: Record<string, Signal> = {
  analytics: "analytics_storage",
  marketing: "ad_storage",
  preferences: "personalization_storage",
  sale_of_data: "ad_user_data",
};

function shopify(): void {
  if (page.Shopify?.customerPrivacy) return;
  const allowed = (name: string) => () => holds(SHOPIFY[name] as Signal) === true;
  const chosen = (name: string): string => {
    const said = purposesOf(SHOPIFY[name]).map((one) => page.strongroom?.state().choices[one.name]);
    return said.length === 0 || said.includes(undefined) ? "" : said.includes(false) ? "no" : "yes";
  };
  const names = Object.keys(SHOPIFY);
  const privacy: Any = {
    analyticsProcessingAllowed: allowed("analytics"),
    marketingAllowed: allowed("marketing"),
    preferencesProcessingAllowed: allowed("preferences"),
    saleOfDataAllowed: allowed("sale_of_data"),
    currentVisitorConsent: () => Object.fromEntries(names.map((name) => [name, chosen(name)])),
    shouldShowBanner: () => page.strongroom?.state().ask ?? false,
    getRegion: () => page.strongroom?.state().law?.toUpperCase() ?? "",
    setTrackingConsent: (asked: Any, done?: Run) => void setTracking(asked).then((error) => done?.(error)),
  };
  page.Shopify = { ...page.Shopify, customerPrivacy: privacy };
  onEvery(() => document.dispatchEvent(new CustomEvent("visitorConsentCollected", {
    detail: {
      analyticsAllowed: allowed("analytics")(),
      marketingAllowed: allowed("marketing")(),
      preferencesAllowed: allowed("preferences")(),
      saleOfDataAllowed: allowed("sale_of_data")(),
    },
  })));
}

/** Says a choice in Shopify's words. Gives: undefined, or an error if it was not taken. Separate consents are left out. */
async function setTracking(asked: Any): Promise<Any | undefined> {
  const choices: Choices = {};
  for (const [name, yes] of Object.entries(asked)) {
    if (typeof yes !== "boolean") continue;
    for (const purpose of purposesOf(SHOPIFY[name])) {
      // A purpose that stands for two signals is allowed only if both are.
      if (purpose.kind !== "necessary" && purpose.kind !== "separate") {
        choices[purpose.name] = yes && choices[purpose.name] !== false;
      }
    }
  }
  const outcome = await page.strongroom?.choose(choices);
  return outcome === "saved" || outcome === "later" ? undefined : { error: "the choice was not taken" };
}

// ── The Global Privacy Platform ─────────────────────────────────────────────────────────────────────────────────────

function gpp(): void {
  const waiting = page.__gpp?.queue ?? [];
  const listeners = new Map<number, Run>();
  let last = 0;
  let status = "loading";

  const section = (): Section | null => {
    const law = page.strongroom?.state().law ?? "";
    return law === "us-ca" ? "usca" : /^us(-|$)/.test(law) ? "usnat" : null;
  };
  const said = (): Said => ({
    sale: out("ad_user_data"),
    sharing: out("ad_personalization"),
    gpc: page.strongroom?.state().signal ?? false,
  });
  const out = (signal: Signal): boolean | null => {
    const yes = holds(signal);
    return yes === null ? null : !yes;
  };
  const parsed = (name: Section) => [fields(name, said()), { SubsectionType: 1, Gpc: said().gpc }];
  const ping = () => {
    const name = section();
    return {
      gppVersion: "1.1",
      cmpStatus: status,
      cmpDisplayStatus: document.querySelector("html.sr-open") ? "visible" : "hidden",
      signalStatus: status === "loaded" ? "ready" : "not ready",
      supportedAPIs: ["7:usnat", "8:usca"],
      cmpId: 0,
      sectionList: name ? [IDS[name]] : [],
      applicableSections: [name ? IDS[name] : -1],
      gppString: encode(name, said()),
      parsedSections: name ? { [name]: parsed(name) } : {},
    };
  };
  const event = (eventName: string, listenerId: number, data: unknown) => ({ eventName, listenerId, data, pingData: ping() });

  const answer = (command: unknown, parameter: unknown, run: Run): unknown => {
    const name = section();
    const [asked, field] = String(parameter).split(".");
    const here = name !== null && asked === name;
    if (command === "ping") return ping();
    if (command === "hasSection") return here;
    if (command === "getSection") return here ? parsed(name) : null;
    if (command === "getField") return here ? ({ ...fields(name, said()), Gpc: said().gpc } as Any)[field ?? ""] ?? null : null;
    if (command === "removeEventListener") return event("listenerRemoved", Number(parameter), listeners.delete(Number(parameter)));
    if (command !== "addEventListener") return null;
    listeners.set(++last, run);
    return event("listenerRegistered", last, true);
  };

  page.__gpp = (command, callback, parameter) => {
    const run = (typeof callback === "function" ? callback : () => undefined) as Run;
    const data = answer(command, parameter, run);
    run(data, data !== null);
  };
  for (const taken of waiting) page.__gpp(...taken);
  frames();

  const tell = (eventName: string, data: unknown) => {
    for (const [id, run] of listeners) run(event(eventName, id, data), true);
  };
  const change = () => {
    const name = section();
    if (name) tell("sectionChange", name);
    tell("signalStatus", "ready");
  };
  document.addEventListener("strongroom:ready", () => {
    status = "loaded";
    tell("cmpStatus", "loaded");
    change();
  });
  document.addEventListener("strongroom:change", change);
}

// Frames find the function by a frame of this name and ask it by messages.
function frames(): void {
  const locator = document.createElement("iframe");
  locator.name = "__gppLocator";
  locator.hidden = true;
  const place = () => { if (!page.frames["__gppLocator" as never]) document.body.append(locator); };
  if (document.body) place();
  else document.addEventListener("DOMContentLoaded", place);
  window.addEventListener("message", (message: MessageEvent<unknown>) => {
    const text = typeof message.data === "string";
    const call = ((text ? quietly(message.data as string) : message.data) as Any | null)?.["__gppCall"] as Any | undefined;
    if (!call) return;
    page.__gpp?.(call["command"], (returnValue: unknown, success: unknown) => {
      const answer = { __gppReturn: { returnValue, success, callId: call["callId"] } };
      message.source?.postMessage(text ? JSON.stringify(answer) : answer, { targetOrigin: "*" });
    }, call["parameter"]);
  });
}

function quietly(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

if (use.includes("google")) google();
if (use.includes("shopify")) shopify();
if (use.includes("gpp")) gpp();
