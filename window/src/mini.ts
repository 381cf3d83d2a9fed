// The core alone, for programs without a page: mini-programs of WeChat and Alipay. See window/README.md.

export { makeCore } from "./core";
export type { Answer, Change, Core, Ground, Outcome, State } from "./core";
export type { Choices, Init, Said, Saved, Source } from "./contract";
export { optional, toAll } from "./state";
