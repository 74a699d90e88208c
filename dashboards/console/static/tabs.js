// Sub-sections of a page as tabs: one is seen, arrows go from one to the next, the address remembers which.

import { byId } from "./dom.js";

/** Begin; `opened` names what is called when a tab is shown, by the tab's name. */
export function startTabs(list, opened) {
  const tabs = [...list.querySelectorAll('[role="tab"]')];
  const show = (tab) => {
    for (const one of tabs) {
      const chosen = one === tab;
      one.setAttribute("aria-selected", String(chosen));
      one.tabIndex = chosen ? 0 : -1;
      byId(one.getAttribute("aria-controls")).hidden = !chosen;
    }
    history.replaceState(null, "", `#${tab.dataset.tab}`);
    opened[tab.dataset.tab]?.();
  };
  list.addEventListener("click", (event) => event.target.closest('[role="tab"]') && show(event.target.closest('[role="tab"]')));
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
    show(next);
    next.focus();
  });
  const wanted = tabs.find((tab) => `#${tab.dataset.tab}` === location.hash);
  if (wanted) show(wanted);
}
