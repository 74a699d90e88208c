// Saved views: kept in this browser for each user. The address of the page holds a view too.

import { byId, context, layout, make, setText, word } from "./dom.js";
import { openDialog } from "./dialog.js";
import { showView, viewText } from "./trends_view.js";

const KEPT = `jinma_views:${layout.id}:${context.user}`;
const LONGEST = 60;
const MOST = 50;

const views = () => JSON.parse(localStorage.getItem(KEPT) || "{}");

/** Begin. */
export function startViews() {
  byId("trends-save").addEventListener("click", ask);
  byId("trends-views").addEventListener("change", (event) => {
    byId("trends-forget").hidden = !event.target.value;
    if (event.target.value) showView(views()[event.target.value]);
  });
  byId("trends-forget").addEventListener("click", () => {
    const { [byId("trends-views").value]: _, ...rest } = views();
    keep(rest, "");
  });
  list("");
}

function ask() {
  openDialog({
    title: word("trends_save"),
    text: word("trends_view_note", context.user),
    fields: [{ name: "view", label: word("trends_view_name"), required: true, maxlength: LONGEST, value: byId("trends-views").value }],
    label: word("trends_save"),
    perform: async ({ view }) => {
      const name = view.trim();
      keep(Object.fromEntries(Object.entries({ ...views(), [name]: viewText() }).slice(-MOST)), name);
      setText(byId("trends-note"), word("trends_saved", name));
    },
  });
}

function keep(all, chosen) {
  localStorage.setItem(KEPT, JSON.stringify(all));
  list(chosen);
}

function list(chosen) {
  const names = Object.keys(views()).sort((one, other) => one.localeCompare(other));
  const none = make("option", { value: "" }, `– ${word("trends_pick_view")} –`);
  byId("trends-views").replaceChildren(none, ...names.map((name) => make("option", { value: name, selected: name === chosen }, name)));
  byId("trends-forget").hidden = !chosen;
}
