// One dialog for every act: what it is about, some fields, and the server's words where it refuses.

import { dateField } from "./date_field.js";
import { byId, hasWord, make, setText, word } from "./dom.js";

let inHand = null;

/** Begin; call it once on a page that has the dialog. */
export function startDialog() {
  byId("act-cancel").addEventListener("click", () => byId("act").close());
  byId("act").addEventListener("close", () => byId("act-fields").replaceChildren()); // A secret is not kept in the page.
  byId("act").querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    perform();
  });
}

/**
 * Ask for what an act needs, then do it.
 * @param {{title: string, text?: string, help?: [string, string][], fields?: object[], label: string, perform: (values: object) => Promise}} act
 *   `fields`: {name, label, kind: a type of input or "select", value, required, options: [[value, text]], ..attributes}.
 */
export function openDialog(act) {
  inHand = act;
  setText(byId("act-title"), act.title);
  setText(byId("act-text"), act.text || "");
  const help = (act.help || []).flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]);
  byId("act-help").replaceChildren(...help);
  byId("act-fields").replaceChildren(...(act.fields || []).flatMap(fieldOf));
  setText(byId("act-do"), act.label);
  byId("act-do").hidden = !act.perform;
  byId("act-problem").hidden = true;
  if (!byId("act").open) byId("act").showModal();
  (byId("act-fields").querySelector("input, select") || byId("act-do")).focus();
}

function fieldOf({ name, label, kind = "text", value = "", options = [], ...attributes }) {
  const id = `act-${name}`;
  const common = { id, name, autocomplete: "off", ...attributes };
  const input = kind === "select" ? make("select", common, ...options.map(([key, text]) => make("option", { value: key, selected: key === value }, text))) : make("input", { type: kind, value, ...common });
  const named = make("label", { for: id }, label);
  if (kind.startsWith("date")) input.setAttribute("aria-label", label);
  return [named, dateField(input)];
}

async function perform() {
  const fields = byId("act-fields").querySelectorAll("input[name], select");
  const values = Object.fromEntries([...fields].map((field) => [field.name, field.value]));
  byId("act-do").disabled = true;
  try {
    const next = await inHand.perform(values);
    if (!next) byId("act").close();
    else openDialog(next);
  } catch (error) {
    setText(byId("act-problem"), problemOf(error));
    byId("act-problem").hidden = false;
  } finally {
    byId("act-do").disabled = false;
  }
}

/** Say why something was not done: in the page's language what kind of refusal it is, then the server's own words. */
export function problemOf(error) {
  if (error.status === 0) return word("act_failed", word("no_answer"));
  const kind = `refused_${error.status}`;
  return word("act_failed", hasWord(kind) ? `${word(kind)} (${error.message})` : error.message);
}
