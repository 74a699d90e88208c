// Keys that every page knows, the list of them, and the buttons beside them: `?` opens the list, `g` and a letter a page.

import { byId, make, word } from "./dom.js";

const WAIT_MS = 1500; // Between g and the letter.
let waiting = 0; // until when a letter opens a page

const ways = () => [...document.querySelectorAll("#ways a")];
const OWN = {
  "?": ["keys_this", openList],
  d: ["keys_theme", changeTheme],
  h: ["keys_horn", () => byId("horn").click()],
  w: ["keys_wall", changeWall],
};

/** Begin. */
export function startKeys() {
  // Before anything on the page: the letter after g is no key of a list.
  document.addEventListener("keydown", key, { capture: true });
  byId("keys-open").addEventListener("click", openList);
  byId("theme").addEventListener("click", changeTheme);
  byId("menu").addEventListener("click", () => {
    const open = byId("ways").classList.toggle("open");
    byId("menu").setAttribute("aria-expanded", String(open));
  });
}

function key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea") || document.querySelector("dialog[open]")) return;
  const way = performance.now() < waiting ? ways().find((one) => one.dataset.key === event.key) : null;
  if (performance.now() < waiting) event.stopPropagation();
  waiting = event.key === "g" ? performance.now() + WAIT_MS : 0;
  if (way) way.click();
  else if (OWN[event.key] && !event.defaultPrevented) OWN[event.key][1]();
}

function openList() {
  const pages = ways().filter(({ dataset }) => dataset.key).map((way) => [`g ${way.dataset.key}`, word("keys_go", way.firstChild.textContent)]);
  const own = Object.entries(OWN).map(([name, [text]]) => [name, word(text)]);
  const here = [...document.querySelectorAll(".keys")].map((one) => [word("keys_here"), one.textContent]);
  byId("keys-list").replaceChildren(...[...own, ...pages, ...here].flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]));
  byId("keys").showModal();
}

function changeTheme() {
  localStorage.setItem("jinma_theme", document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  document.dispatchEvent(new Event("theme-chosen"));
}

function changeWall() {
  const address = new URL(location.href);
  if (address.searchParams.get("wall") === "1") address.searchParams.delete("wall");
  else address.searchParams.set("wall", "1");
  location.assign(address);
}
