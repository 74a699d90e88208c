// The login page: a user's password or a token opens a session.

import { byId, setText, word } from "./dom.js";

byId("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const problem = byId("login-error");
  problem.hidden = true;
  let status = 0;
  try {
    const [user, token] = [byId("user").value.trim(), byId("token").value.trim()];
    const body = JSON.stringify(user ? { user, password: byId("password").value } : { token });
    const headers = { "Content-Type": "application/json" };
    status = (await fetch("/api/v1/session", { method: "POST", headers, body, credentials: "same-origin" })).status;
  } catch {
    status = 0;
  }
  if (status === 200) {
    location.reload();
    return;
  }
  setText(problem, word(status === 429 ? "login_wait" : status === 401 || status === 422 ? "login_wrong" : "login_failed"));
  problem.hidden = false;
});
