// Users: who they are, what they may do, and what an admin may do to them.

import { ask, byId, context, fullTime, word } from "./dom.js";
import { openDialog, problemOf } from "./dialog.js";
import { buttonOf, noteOf, rowOf, tableOf } from "./sheet_table.js";

export const ROLES = ["viewer", "operator", "engineer", "admin"];
const SHORTEST = 12; // The API's rule; it has the last word.
let changed = () => {};

/** Begin; `onChange()` is called when something was done. */
export function startUsers(onChange) {
  changed = onChange;
  byId("add-user").addEventListener("click", openNew);
  load();
}

async function load() {
  const place = byId("user-rows");
  try {
    const { items } = await ask("/api/v1/users");
    const heads = ["name", "role", "status", "created", "last_login", "column_acts"].map((key) => word(key));
    place.replaceChildren(items.length ? tableOf(heads, items.map(drawn)) : noteOf(word("users_none")));
  } catch (error) {
    place.replaceChildren(noteOf(problemOf(error), "problem"));
  }
}

const pathOf = ({ name }) => `/api/v1/users/${encodeURIComponent(name)}`;

function drawn(user) {
  const own = user.name === context.user;
  const state = user.disabled ? `✕ ${word("shut_out")}` : `✓ ${word("may_enter")}`;
  const acts = [
    buttonOf(word("role_do"), word("change_role", user.name), () => openRole(user)),
    buttonOf(word("new_password"), word("new_password_which", user.name), () => openPassword(user)),
    user.disabled ? buttonOf(word("enable"), word("enable_which", user.name), () => confirm(user, "enable", { disabled: false })) : null,
    user.disabled || own ? null : buttonOf(word("disable"), word("disable_which", user.name), () => confirm(user, "disable", { disabled: true })),
    own ? null : buttonOf(word("delete"), word("delete_which", user.name), () => openDelete(user)),
  ].filter(Boolean);
  return rowOf([user.name, word(`short_${user.role}`), state, fullTime(user.created), fullTime(user.last_login) || word("never_yet"), acts], { "data-user": user.name, class: user.disabled ? "off" : false });
}

async function done(request) {
  await request;
  await load();
  changed();
}

const change = (user, body) => done(ask(pathOf(user), { method: "PATCH", body }));

/** Return the field that picks a role. */
export const roleField = (value = "viewer") => ({ name: "role", label: word("role"), kind: "select", value, options: ROLES.map((role) => [role, word(`role_${role}`)]) });
const passwordField = () => ({ name: "password", label: word("password"), kind: "password", required: true, minlength: SHORTEST, maxlength: 256, autocomplete: "new-password" });

function openNew() {
  openDialog({
    title: word("new_user"),
    text: word("password_rule"),
    fields: [{ name: "name", label: word("name"), required: true, maxlength: 64 }, roleField("operator"), passwordField()],
    label: word("add_user"),
    perform: (body) => done(ask("/api/v1/users", { method: "POST", body })),
  });
}

function openRole(user) {
  openDialog({ title: word("change_role", user.name), fields: [roleField(user.role)], label: word("role_do"), perform: ({ role }) => change(user, { role }) });
}

function openPassword(user) {
  openDialog({
    title: word("new_password_which", user.name),
    text: `${word("password_rule")} ${word("new_password_note")}`,
    fields: [passwordField()],
    label: word("new_password"),
    perform: ({ password }) => change(user, { password }),
  });
}

function confirm(user, name, body) {
  openDialog({ title: word(`${name}_which`, user.name), text: name === "disable" ? word("disable_note") : "", label: word(name), perform: () => change(user, body) });
}

function openDelete(user) {
  openDialog({ title: word("delete_which", user.name), text: word("delete_note"), label: word("delete"), perform: () => done(ask(pathOf(user), { method: "DELETE" })) });
}
