// A page with c15t, as its guide has it. What the page does with the tracker stands in `window.page`.
import { createElement as h } from "react";
import { createRoot } from "react-dom/client";
import { ConsentBanner, ConsentDialog, ConsentDialogLink, ConsentManagerProvider } from "@c15t/react";

const { scripts, revoked } = window.page;
const place = document.createElement("div");
document.body.append(place);
createRoot(place).render(
  h(ConsentManagerProvider, {
    options: {
      mode: "offline",
      consentCategories: ["necessary", "measurement"],
      scripts,
      callbacks: { onConsentSet: ({ preferences }) => { if (!preferences.measurement) revoked(); }, onBeforeConsentRevocationReload: revoked },
    },
  }, h(ConsentBanner), h(ConsentDialog), h("footer", null, h(ConsentDialogLink, null, "Privacy settings"))),
);
