// The core: asks the server, keeps what stands, and says what may run. It knows no page, no cookie and no network: it
// stands on a `Ground` that is given to it, so that the same core serves a web page and a mini-program.
//
// INVARIANT: without an answer of the server nothing but a refusal holds. A cookie alone allows nothing.
// INVARIANT: nothing is kept on the device before a choice.

import type { Choices, Init, Notice, Purpose, Said, Saved, Source } from "./contract";
import { mayRun, optional, readStanding, refusals } from "./state";

/** What came back: the status of HTTP, the body read as JSON, and the seconds of `Retry-After`. */
export interface Answer {
  status: number;
  body?: unknown;
  retryAfter?: number;
}

/** What the core stands on. */
export interface Ground {
  /** Sends to `/w/{key}/` + path. Fails when the server cannot be reached. */
  send(method: "GET" | "POST", path: string, body?: Said): Promise<Answer>;
  /** What was kept under `write`, or null. */
  read(): string | null;
  /** Keeps a text for the rest of this visit; null forgets it. Only called once a choice was made. */
  write(text: string | null): void;
  /** The value of the cookie `sr`, or what stands in its place; an empty text if there is none. */
  standing(): string;
  /** The language to ask for, a tag of BCP 47. */
  language(): string;
  /** Whether the browser sends the Global Privacy Control: exactly true. */
  signal(): boolean;
  later(run: () => void, milliseconds: number): void;
  now(): Date;
  /** A fresh random id of at least 128 bits, in letters, digits, `-` and `_`. */
  random(): string;
}

/** What became of a choice: kept by the server; holds here and is sent later; to be asked again; not taken. */
export type Outcome = "saved" | "later" | "stale" | "lost";

export interface Change {
  /** Names of the purposes that may run now and might not before. */
  started: string[];
  /** Names of those that might and may not any more. */
  stopped: string[];
  /** Names of those that were just refused or withdrawn, whether they might run or not. */
  refused: string[];
}

/** What stands, for the shop's own scripts to look at. */
export interface State {
  ready: boolean;
  law: string | null;
  notice: Notice | null;
  /** Whether the banner has to be shown. */
  ask: boolean;
  purposes: Purpose[];
  /** What was said last, also where the server has yet to take it. `allowed` is what may run. */
  choices: Choices;
  allowed: string[];
  /** Choices that hold here and that the server has not taken yet. */
  waiting: number;
  signal: boolean;
  until: string | null;
  ask_again_at: string | null;
  receipt_url: string | null;
}

type Events = { ready: State; change: Change; signal: string[] };
type Heard<Name extends keyof Events> = (about: Events[Name]) => void;

/** A choice on its way. */
interface Waiting extends Said {
  /** The digest of the notice that was shown. */
  digest: string;
  /** Whether it found the server away. */
  away?: boolean;
  /** Whether it was sent under a second snapshot. */
  again?: boolean;
}

export interface Core {
  init(): Init | null;
  allows(purpose: string, recipient?: string): boolean;
  choose(choices: Choices, source?: Source): Promise<Outcome>;
  withdraw(purpose?: string): Promise<Outcome>;
  on<Name extends keyof Events>(name: Name, run: Heard<Name>): () => void;
  state(): State;
  /** Asks the server anew. Gives: whether it answered. */
  refresh(): Promise<boolean>;
}

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 60_000;

/**
 * Makes a core.
 *
 * Takes: the ground to stand on. Gives: a core that allows nothing until `refresh` was answered.
 */
export function makeCore(ground: Ground): Core {
  let init: Init | null = null;
  let queue: Waiting[] = remembered();
  let told: string[] = [];
  let receipt: string | null = null;
  let asked = 0;
  let lately = { asked: 0, choices: {} as Choices };
  let failures = 0;
  let sending = false;
  const answers = new Map<string, (outcome: Outcome) => void>();
  const listeners = new Set<{ name: string; run: (about: never) => void }>();

  function remembered(): Waiting[] {
    try {
      const kept: unknown = JSON.parse(ground.read() ?? "[]");
      return Array.isArray(kept) ? kept.filter((one) => one?.id && typeof one.choices === "object" && one.choices) : [];
    } catch {
      return [];
    }
  }

  function remember(): void {
    ground.write(queue.length ? JSON.stringify(queue) : null);
  }

  // ORDER: what the server knows, then the signal, then what was said since: the later word counts.
  function said(since: (one: Waiting) => Choices): Choices {
    const all: Choices = { ...init?.choices };
    for (const name of init?.gpc.honoured ?? []) all[name] = false;
    for (const one of queue) Object.assign(all, since(one));
    return all;
  }

  // INVARIANT: a no holds at once. A yes holds when the server has taken it; or, with the server away, for as long as
  // the notice that was shown is the one in force.
  function stands(): Choices {
    return said((one) => one.away && one.digest === init?.notice.digest ? one.choices : refusals(one.choices));
  }

  function allows(name: string, recipient?: string): boolean {
    const purpose = init?.purposes.find((one) => one.name === name);
    if (!purpose || (recipient && !purpose.recipients.some((one) => one.name === recipient))) return false;
    return mayRun(purpose, stands());
  }

  function allowed(): string[] {
    return init ? init.purposes.map((purpose) => purpose.name).filter((name) => allows(name)) : [];
  }

  function emit<Name extends keyof Events>(name: Name, about: Events[Name]): void {
    for (const listener of [...listeners]) {
      if (listener.name !== name) continue;
      try {
        (listener.run as Heard<Name>)(about);
      } catch (error) {
        // One listener that fails keeps nobody else from hearing of a withdrawal.
        ground.later(() => { throw error; }, 0);
      }
    }
  }

  function tell(refused: string[] = []): void {
    const now = allowed();
    const change: Change = {
      started: now.filter((name) => !told.includes(name)),
      stopped: told.filter((name) => !now.includes(name)),
      refused,
    };
    told = now;
    if (change.started.length || change.stopped.length || refused.length) emit("change", change);
  }

  async function refresh(): Promise<boolean> {
    const mine = ++asked;
    const path = `init?lang=${encodeURIComponent(ground.language())}${ground.signal() ? "&gpc=1" : ""}`;
    const answer = await ground.send("GET", path).catch(() => null);
    if (mine !== asked) return init !== null;
    if (answer?.status !== 200 || !isInit(answer.body)) {
      if (!init) retry(refresh, answer);
      return false;
    }
    failures = 0;
    const before = init;
    init = answer.body;
    if (mine <= lately.asked) {
      // This was asked before the latest choice was taken, and may not know of it.
      Object.assign(init.choices, lately.choices);
      init.ask = false;
    }
    if (!before) {
      told = allowed();
      emit("ready", state());
    } else {
      tell();
    }
    if (init.gpc.heard && !before?.gpc.heard) emit("signal", init.gpc.honoured);
    void drain();
    return true;
  }

  function retry(run: () => unknown, answer: Answer | null): void {
    const grown = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** failures++) * (0.5 + Math.random() / 2);
    ground.later(() => void run(), Math.max(grown, (answer?.retryAfter ?? 0) * 1_000));
  }

  function choose(choices: Choices, source: Source = "preferences"): Promise<Outcome> {
    const known = init ? optional(init).map((purpose) => purpose.name) : [];
    const taken = Object.fromEntries(Object.entries(init ? choices : refusals(choices))
      .filter(([name, yes]) => typeof yes === "boolean" && (!init || known.includes(name))));
    if (!Object.keys(taken).length) return Promise.resolve("lost");
    queue.push({
      id: ground.random(),
      snapshot: init?.snapshot ?? "",
      digest: init?.notice.digest ?? "",
      choices: taken,
      source,
      variant: init?.variant ?? "",
      language: init?.notice.language ?? ground.language(),
      claimed_at: ground.now().toISOString(),
    });
    const id = queue[queue.length - 1]!.id;
    remember();
    tell(Object.keys(refusals(taken)));
    return new Promise((settle) => {
      answers.set(id, settle);
      if (init) void drain();
      else settleAll("later");
    });
  }

  function withdraw(name?: string): Promise<Outcome> {
    const stood = Object.entries(readStanding(ground.standing())).filter(([, yes]) => yes).map(([one]) => one);
    const names = name ? [name] : init ? optional(init).map((purpose) => purpose.name) : stood;
    return choose(Object.fromEntries(names.map((one) => [one, false])));
  }

  function settleAll(outcome: Outcome): void {
    for (const settle of answers.values()) settle(outcome);
    answers.clear();
  }

  // INVARIANT: choices reach the server one after another, in the order in which they were made.
  async function drain(): Promise<void> {
    if (sending) return;
    sending = true;
    while (queue[0] && init) {
      const first = queue[0];
      if (!first.snapshot) under(first, init);
      const { digest: _digest, away: _away, again: _again, ...body } = first;
      const answer = await ground.send("POST", "choices", body).catch(() => null);
      if (answer?.status === 200 && isSaved(answer.body)) {
        taken(first, answer.body);
      } else if (answer?.status === 409 && !first.again) {
        if (!(await shownAgain(first))) break;
      } else if (!answer || answer.status === 429 || answer.status >= 500) {
        holdOn(answer);
        break;
      } else {
        drop(first, answer.status === 409 ? "stale" : "lost");
      }
    }
    sending = false;
  }

  // The server is away: what was said holds here meanwhile, and is sent again.
  function holdOn(answer: Answer | null): void {
    for (const one of queue) one.away = true;
    remember();
    tell();
    settleAll("later");
    retry(drain, answer);
  }

  function under(said: Waiting, shown: Init): void {
    said.snapshot = shown.snapshot;
    said.digest = shown.notice.digest;
    said.variant = shown.variant;
    said.language = shown.notice.language;
  }

  function taken(said: Waiting, saved: Saved): void {
    failures = 0;
    queue.shift();
    remember();
    receipt = saved.receipt_url;
    lately = { asked, choices: saved.choices };
    if (init) {
      init.choices = saved.choices;
      init.until = saved.until;
      init.gpc.honoured = init.gpc.honoured.filter((name) => saved.choices[name] !== true);
      init.gpc.conflict = init.gpc.conflict.filter((name) => !(name in said.choices));
      init.ask = false;
    }
    settle(said, "saved");
    tell();
  }

  // A no that the server does not take still holds on this page.
  function drop(said: Waiting, outcome: Outcome): void {
    queue = queue.filter((one) => one !== said);
    remember();
    Object.assign(init?.choices ?? {}, refusals(said.choices));
    settle(said, outcome);
    tell();
  }

  function settle(said: Waiting, outcome: Outcome): void {
    answers.get(said.id)?.(outcome);
    answers.delete(said.id);
  }

  /**
   * The snapshot is stale: what was shown may have changed. If it has not, the choice is sent again under a fresh
   * snapshot; if it has, refusals are, and what was granted is asked again. Gives: whether to go on sending.
   */
  async function shownAgain(said: Waiting): Promise<boolean> {
    const digest = said.digest;
    if (!(await refresh()) || !init) {
      holdOn(null);
      return false;
    }
    said.again = true;
    if (init.notice.digest !== digest) {
      const granted = Object.values(said.choices).includes(true);
      said.choices = refusals(said.choices);
      if (granted) settle(said, "stale");
      if (!Object.keys(said.choices).length) {
        drop(said, "stale");
        return true;
      }
    }
    under(said, init);
    remember();
    tell();
    return true;
  }

  function state(): State {
    return {
      ready: init !== null,
      law: init?.law ?? null,
      notice: init && { ...init.notice },
      ask: init?.ask ?? false,
      purposes: [...(init?.purposes ?? [])],
      choices: said((one) => one.choices),
      allowed: allowed(),
      waiting: queue.length,
      signal: init?.gpc.heard ?? ground.signal(),
      until: init?.until ?? null,
      ask_again_at: init?.ask_again_at ?? null,
      receipt_url: receipt,
    };
  }

  function on<Name extends keyof Events>(name: Name, run: Heard<Name>): () => void {
    const listener = { name, run };
    listeners.add(listener);
    if (name === "ready" && init) (run as Heard<"ready">)(state());
    return () => void listeners.delete(listener);
  }

  return { init: () => init, allows, choose, withdraw, on, state, refresh };
}

// What is not whole counts as no answer: a proxy may answer in the server's place.
function isInit(body: unknown): body is Init {
  const init = body as Init | null;
  return init?.format === 1 && Array.isArray(init.purposes) && typeof init.snapshot === "string"
    && [init.notice, init.choices, init.gpc, init.texts].every((part) => typeof part === "object" && part !== null);
}

function isSaved(body: unknown): body is Saved {
  const choices = (body as Saved | null)?.choices;
  return typeof choices === "object" && choices !== null;
}
