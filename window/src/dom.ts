// Elements: how the window makes what it shows. Text is set as text, attributes as attributes; no markup is ever parsed
// and no style is set, so that the strictest content security policy holds.

type Attribute = string | number | boolean | undefined | ((event: Event) => void);
export type Child = Node | string | false | null | undefined;

/**
 * Makes an element.
 *
 * Takes: its tag; its attributes (a function listens to the event of that name, true is an empty attribute, false and
 * undefined are left out); its children (texts stay texts; nothing is left out).
 */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag, attributes: Record<string, Attribute> = {}, ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== false && value !== undefined) element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child || child === "") element.append(child);
  return element;
}

/** Fills the places `{name}` of a text. A place that is not given stays as it is. */
export function fill(text: string | undefined, places: Record<string, string | number>): string {
  return (text ?? "").replace(/\{(\w+)\}/g, (place, name: string) => String(places[name] ?? place));
}
