// Tokens of machines: made (the secret is shown once), when last used, revoked.

import { ask, byId, fullTime, make, setText, word } from "./dom.js";
import { openDialog, problemOf } from "./dialog.js";
import { buttonOf, noteOf, rowOf, tableOf } from "./sheet_table.js";
import { roleField } from "./users.js";

const LIVES = ["30d", "90d", "365d"];
let changed = () => {};

/** Begin; `onChange()` is called when something was done. */
export function startTokens(onChange) {
  changed = onChange;
  byId("add-token").addEventListener("click", openNew);
  load();
}

async function load() {
  const place = byId("token-rows");
  try {
    const { items } = await ask("/api/v1/tokens");
    const heads = ["name", "prefix", "role", "created", "expires", "last_used", "column_acts"].map((key) => word(key));
    place.replaceChildren(items.length ? tableOf(heads, items.map(drawn)) : noteOf(word("tokens_none")));
  } catch (error) {
    place.replaceChildren(noteOf(problemOf(error), "problem"));
  }
}

function drawn(token) {
  const over = token.expires !== null && Date.parse(token.expires) < Date.now();
  const end = token.expires === null ? word("expires_never") : over ? `✕ ${word("expired", fullTime(token.expires))}` : fullTime(token.expires);
  const revoke = buttonOf(word("revoke"), word("revoke_which", token.name), () => openRevoke(token));
  return rowOf([token.name, make("code", {}, token.prefix), word(`short_${token.role}`), fullTime(token.created), end, fullTime(token.last_used) || word("never_yet"), revoke], { "data-token": token.prefix, class: over ? "off" : false });
}

async function renew() {
  await load();
  changed();
}

function openNew() {
  openDialog({
    title: word("new_token"),
    fields: [{ name: "name", label: word("name"), required: true, maxlength: 64 }, roleField(), { name: "lives", label: word("lives"), kind: "select", value: "90d", options: [...LIVES.map((one) => [one, word(`lives_${one}`)]), ["", word("expires_never")]] }],
    label: word("add_token"),
    perform: async ({ name, role, lives }) => {
      const made = await ask("/api/v1/tokens", { method: "POST", body: { name, role, expires: lives || null } });
      await renew();
      return madeOf(made);
    },
  });
}

function madeOf({ name, token }) {
  return {
    title: word("token_made", name),
    text: word("token_once"),
    fields: [{ name: "token", label: word("token"), value: token, readonly: true }],
    label: word("copy"),
    perform: async () => {
      byId("act-token").select();
      await navigator.clipboard.writeText(token);
      setText(byId("act-text"), word("copied"));
    },
  };
}

function openRevoke(token) {
  openDialog({
    title: word("revoke_which", token.name),
    text: `${token.prefix} · ${word("revoke_note")}`,
    label: word("revoke"),
    perform: async () => {
      await ask(`/api/v1/tokens/${encodeURIComponent(token.prefix)}`, { method: "DELETE" });
      await renew();
    },
  });
}
