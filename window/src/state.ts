// State: pure questions about an answer of the server and the choices that stand. Nothing here waits, keeps or draws.

import type { Choices, Init, Purpose } from "./contract";

/**
 * Reads what the cookie `sr` says.
 *
 * Takes: the cookie's value, `1.<notice version>.<yes joined by +>.<no joined by +>`. Gives: the choices in it, or none
 * at all if it is of another form.
 */
export function readStanding(value: string): Choices {
  const [format, , yes, no, more] = value.split(".");
  const choices: Choices = {};
  if (format !== "1" || yes === undefined || no === undefined || more !== undefined) return choices;
  for (const name of yes.split("+")) if (name) choices[name] = true;
  for (const name of no.split("+")) if (name) choices[name] = false;
  return choices;
}

/** Whether a purpose may run, given the choices that stand. A purpose that leaves no choice may. */
export function mayRun(purpose: Purpose, stands: Choices): boolean {
  if (purpose.kind === "necessary") return true;
  const said = stands[purpose.name];
  // LAW: PIPL 23, 29, 39: a separate consent is never given by default.
  return said ?? (purpose.kind === "interest" || (purpose.kind === "consent" && purpose.on_by_default === true));
}

/** The purposes that leave a choice. */
export function optional(init: Init): Purpose[] {
  return init.purposes.filter((purpose) => purpose.kind !== "necessary");
}

/**
 * What "accept all" or "reject all" says.
 *
 * Gives: a yes to every consent and interest, or a no to these and to every separate consent. LAW: PIPL 23, 29, 39: a
 * separate consent is asked alone, so that accepting all does not answer it.
 */
export function toAll(init: Init, yes: boolean): Choices {
  const choices: Choices = {};
  for (const purpose of optional(init)) if (!yes || purpose.kind !== "separate") choices[purpose.name] = yes;
  return choices;
}

/** Whether nothing has been said yet about any purpose. */
export function isFirst(init: Init): boolean {
  return Object.keys(init.choices).length === 0;
}

/** Only what was refused. A refusal holds whatever was shown; a yes holds for what was shown only. */
export function refusals(choices: Choices): Choices {
  return Object.fromEntries(Object.entries(choices).filter(([, yes]) => !yes));
}
