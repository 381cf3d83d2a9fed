// The contract: what the server and the window say to each other. docs/spec/window.md says the same in words.

/** Why a purpose needs what it needs: nothing; a yes; a yes of its own; nothing but the lack of an objection. */
export type Kind = "necessary" | "consent" | "separate" | "interest";

/** Where a choice was made. A signal is a choice only when the visitor confirms it. */
export type Source = "banner" | "preferences" | "signal";

/** Purposes by name: true is granted, false is refused or withdrawn. */
export type Choices = Record<string, boolean>;

export interface Recipient {
  name: string;
  label: string;
  /** The code of the country, lower case. */
  in: string;
  /** The country in words. */
  place: string;
}

export interface Purpose {
  name: string;
  label: string;
  says: string;
  kind: Kind;
  /** Allowed before any choice: where the law is opt-out, and never for a separate consent. */
  on_by_default?: boolean;
  recipients: Recipient[];
  /** Names of Google Consent Mode that stand for this purpose. */
  signals: string[];
  /** Cookies of this purpose; `*` stands for any characters. */
  cookies: string[];
  /** Keys of localStorage and sessionStorage of this purpose; `*` likewise. */
  storage: string[];
}

export interface Notice {
  version: string;
  digest: string;
  url: string;
  language: string;
  languages: { tag: string; name: string }[];
}

/** All words of the interface. Their keys are those of `texts/en.json`. */
export type Texts = Record<string, string>;

/** The answer of `GET /w/{key}/init`. */
export interface Init {
  format: 1;
  shop: string;
  notice: Notice;
  law: string | null;
  ask: boolean;
  ask_again_at: string | null;
  choices: Choices;
  until: string | null;
  purposes: Purpose[];
  gpc: { heard: boolean; honoured: string[]; conflict: string[] };
  texts: Texts;
  snapshot: string;
  /** The order of the buttons of the first layer: accept, reject, choose, by their first letters. */
  variant: string;
  /** How they look, by the same letters, where the shop sets that: properties of their style. */
  look?: Record<string, Record<string, string>>;
}

/** The body of `POST /w/{key}/choices`. */
export interface Said {
  id: string;
  snapshot: string;
  choices: Choices;
  source: Source;
  variant: string;
  language: string;
  claimed_at: string;
}

/** The answer to it. */
export interface Saved {
  choices: Choices;
  receipt_url: string;
  until: string | null;
  /** What the cookie `sr` now holds, for callers that have no cookies. */
  standing: string;
}
