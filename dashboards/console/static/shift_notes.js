// Shift notes of a day: those that are kept, and a form for one more.

import { ask, byId, fullTime, setText, stationPath, word } from "./dom.js";
import { problemOf } from "./dialog.js";
import { noteOf, rowOf, tableOf } from "./sheet_table.js";

let day = null;
let changed = () => {};

/** Begin; `onChange()` is called when a note was written. */
export function startNotes(onChange) {
  changed = onChange;
  byId("note-form")?.addEventListener("submit", (event) => {
    event.preventDefault();
    write();
  });
}

/** Show the notes of a day. */
export async function showNotes(date) {
  day = date;
  const place = byId("note-rows");
  try {
    const { items } = await ask(stationPath(`/reports/daily/${date}/notes`));
    if (day !== date) return;
    const heads = [word("note_at"), word("note_who"), word("note_kind"), word("note_said")];
    place.replaceChildren(items.length ? tableOf(heads, items.map(drawn)) : noteOf(word("notes_none_yet")));
    place.scrollTop = place.scrollHeight;
  } catch (error) {
    place.replaceChildren(noteOf(problemOf(error), "problem"));
  }
}

const drawn = ({ at, who, kind, text }) => rowOf([fullTime(at), who, word(`note_${kind}`), text]);

async function write() {
  const [text, kind, button] = [byId("note-text"), byId("note-kind"), byId("note-do")];
  button.disabled = true;
  byId("note-problem").hidden = true;
  setText(byId("note-answer"), "");
  try {
    await ask(stationPath(`/reports/daily/${day}/notes`), { method: "POST", body: { text: text.value, kind: kind.value } });
    text.value = "";
    kind.value = "note";
    setText(byId("note-answer"), word("note_saved"));
    await showNotes(day);
    changed();
  } catch (error) {
    setText(byId("note-problem"), problemOf(error));
    byId("note-problem").hidden = false;
  } finally {
    button.disabled = false;
  }
}
