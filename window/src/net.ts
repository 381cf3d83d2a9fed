// The ground of a web page: fetch, the cookie `sr`, and sessionStorage for choices that wait.

import type { Answer, Ground } from "./core";
import { isSignalled } from "./signals";

const PATIENCE = 8_000;
/** The key of sessionStorage under which choices wait. */
export const QUEUE = "sr-queue";

/**
 * The ground that a web page gives.
 *
 * Takes: the address under which the server answers, up to and with the key and a slash; what says which language to
 * ask for.
 */
export function webGround(address: string, language: () => string): Ground {
  return {
    send: (method, path, body) => send(method, address + path, body),
    read: () => guarded(() => sessionStorage.getItem(QUEUE)),
    write: (text) => void guarded(() => text === null
      ? sessionStorage.removeItem(QUEUE)
      : sessionStorage.setItem(QUEUE, text)),
    standing,
    language,
    signal: isSignalled,
    later: (run, milliseconds) => void setTimeout(run, milliseconds),
    now: () => new Date(),
    random,
  };
}

/** The value of the cookie `sr`, or an empty text. */
export function standing(): string {
  return /(?:^|; )sr=([^;]*)/.exec(document.cookie)?.[1] ?? "";
}

async function send(method: string, address: string, body?: unknown): Promise<Answer> {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE);
  try {
    // The address of a page may say something about its visitor: only the origin is told.
    const answer = await fetch(address, {
      method,
      credentials: "include",
      cache: "no-store",
      referrerPolicy: "origin",
      signal: patience.signal,
      ...(body ? { keepalive: true, headers: { "content-type": "application/json" }, body: JSON.stringify(body) } : {}),
    });
    const retryAfter = Number(answer.headers.get("retry-after")) || 0;
    return { status: answer.status, body: await answer.json().catch(() => null), retryAfter };
  } finally {
    clearTimeout(timer);
  }
}

// Storage throws where a browser forbids it; a choice then holds for this page only.
function guarded<T>(run: () => T): T | null {
  try {
    return run();
  } catch {
    return null;
  }
}

function random(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
