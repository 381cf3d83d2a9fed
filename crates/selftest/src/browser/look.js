// What is asked of a page. It runs in a world of its own: the page's scripts neither see it nor can change what it uses.
(() => {
  const place = (text) => {
    try {
      const { protocol, hostname, origin, pathname } = new URL(text, document.baseURI);
      return /^https?:$/.test(protocol) ? { host: hostname, address: origin + pathname } : null;
    } catch {
      return null;
    }
  };
  // Elements in the page and in the shadows that are open.
  const all = (root, selector) => [...root.querySelectorAll(selector),
    ...[...root.querySelectorAll("*")].flatMap((one) => one.shadowRoot ? all(one.shadowRoot, selector) : [])];
  const atPoint = (x, y) => {
    let hit = document.elementFromPoint(x, y);
    for (let deeper = hit; deeper; hit = deeper) {
      deeper = hit.shadowRoot?.elementFromPoint(x, y);
      if (!deeper || deeper === hit) break;
    }
    return hit;
  };
  // Where somebody can click on this; null when nobody can: not there, not to be seen, or behind something else.
  const pointOf = (element) => {
    if (element.disabled || getComputedStyle(element).visibility !== "visible") return null;
    element.scrollIntoView({ block: "nearest", inline: "nearest", behavior: "instant" });
    const { left, top, width, height } = element.getBoundingClientRect();
    if (width < 2 || height < 2) return null;
    const [x, y] = [Math.round(left + width / 2), Math.round(top + height / 2)];
    const hit = atPoint(x, y);
    return hit && (hit === element || element.contains(hit) || hit.closest?.("a,button,label") === element) ? { x, y } : null;
  };
  const firstOf = (selectors) => {
    for (const selector of selectors) {
      let found = [];
      try {
        found = all(document, selector);
      } catch {
        continue;
      }
      for (const element of found) {
        const point = pointOf(element);
        if (point) return point;
      }
    }
    return null;
  };
  const WAY_BACK = /((cookie|privacy|consent|隐私|個人信息|个人信息|Cookie).{0,12}(setting|preference|choice|option|manage|设置|偏好|选择|管理))|((manage|change|withdraw|review).{0,12}(cookie|consent|choice))|(撤回.{0,4}同意)/i;

  return {
    find: (selectors) => firstOf(selectors),
    // A link or button that says in its own words that it leads back to the choices.
    wayBack: () => {
      for (const element of all(document, "a,button,[role=button]")) {
        const words = `${element.textContent} ${element.getAttribute("aria-label") ?? ""}`.trim();
        if (words.length < 60 && WAY_BACK.test(words)) {
          const point = pointOf(element);
          if (point) return point;
        }
      }
      return null;
    },
    held: () => all(document, "[data-purpose]").map((element) => {
      const to = place(element.getAttribute("data-src") ?? element.getAttribute("src") ?? "");
      return to && { purpose: element.dataset.purpose, recipient: element.dataset.recipient ?? "", ...to };
    }).filter(Boolean),
    styled: () => performance.getEntriesByType("resource").filter((entry) => entry.initiatorType === "css")
      .map((entry) => place(entry.name)?.address).filter(Boolean),
    kept: async () => {
      const names = (pick) => { try { return Object.keys(pick()); } catch { return []; } };
      const later = async (ask) => { try { return await ask(); } catch { return []; } };
      return {
        host: location.hostname,
        local: names(() => localStorage),
        session: names(() => sessionStorage),
        databases: (await later(() => indexedDB.databases())).map(({ name }) => name),
        caches: await later(() => caches.keys()),
        workers: (await later(() => navigator.serviceWorker.getRegistrations())).map(({ scope }) => new URL(scope).pathname),
      };
    },
  };
})()
