"""A Grafana for the tests: data sources, folders, dashboards, alerting, kept in memory, answering as the recorded 12.4.

`tests/data/grafana/recorded.json` holds request/response pairs of a real server; a test proves that they are answered
alike here. Numeric-id routes of data sources can be off, as Grafana 13 has them.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.support.fake_grafana_alerting import NOT_FOUND, Alerting, answer_alerting

Answer = tuple[int, Any]
"""Status and body; None is no body at all, a str is sent as it is (an error page)."""


def slug(title: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split())


@dataclass
class State:
    """What the server holds, and how it is to behave."""

    version: str = "12.4.0"
    token: str = "glsa_test"
    id_routes: bool = True
    good_tokens: set[str] = field(default_factory=lambda: {"TOKEN"})
    datasources: dict[str, dict[str, Any]] = field(default_factory=dict)
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    folders: dict[str, dict[str, Any]] = field(default_factory=dict)
    dashboards: dict[str, dict[str, Any]] = field(default_factory=dict)
    alerting: Alerting = field(default_factory=Alerting)
    provisioned: set[str] = field(default_factory=set)
    failures: list[Answer] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    next_id: int = 1

    def kept(self) -> str:
        """Return everything that it holds, to be compared."""
        groups = list(self.alerting.groups.values())
        return json.dumps([self.datasources, self.folders, self.dashboards, groups, self.alerting.points])

    @property
    def writes(self) -> list[tuple[str, str]]:
        """Requests that may have changed something."""
        return [one for one in self.requests if one[0] != "GET"]

    def new_id(self) -> int:
        self.next_id += 1
        return self.next_id - 1


def answer(state: State, method: str, path: str, body: Any) -> Answer:
    """Answer one request; `path` is without `/api`."""
    parts = path.strip("/").split("/")
    if path == "/health":
        return 200, {"database": "ok", "version": state.version, "commit": "ebae266a"}
    if parts[0] == "datasources":
        return _datasources(state, method, parts[1:], body)
    if parts[0] == "folders":
        return _folders(state, method, parts[1:], body)
    if parts[0] == "dashboards":
        return _dashboards(state, method, parts[1:], body)
    if parts[:2] == ["v1", "provisioning"]:
        return answer_alerting(state.alerting, method, parts[2:], body)
    return NOT_FOUND


def _datasources(state: State, method: str, parts: list[str], body: Any) -> Answer:
    if not parts:
        if method == "GET":
            return 200, list(state.datasources.values())
        if any(kept["name"] == body["name"] for kept in state.datasources.values()):
            return 409, {"message": "data source with the same name already exists"}
        return 200, _kept_datasource(state, body, state.new_id(), "Datasource added")
    if parts[0] == "uid":
        return _datasource(state, method, parts[1], parts[2:], body)
    by_id = [kept for kept in state.datasources.values() if str(kept["id"]) == parts[0]]
    if not by_id or not state.id_routes:
        return NOT_FOUND
    return _datasource(state, method, by_id[0]["uid"], [], body)


def _datasource(state: State, method: str, uid: str, rest: list[str], body: Any) -> Answer:
    kept = state.datasources.get(uid)
    if kept is None:
        return 404, {"message": "Data source not found"}
    if rest == ["health"]:
        if state.secrets[uid].get("token") in state.good_tokens:
            return 200, {"message": "datasource is working. 3 buckets found", "status": "OK"}
        return 400, {"message": "unauthorized: error reading buckets", "status": "ERROR"}
    if method == "PUT":
        if kept["readOnly"]:
            return 403, {"message": "Cannot update read-only data source"}
        return 200, _kept_datasource(state, body, kept["id"], "Datasource updated")
    return 200, kept


def _kept_datasource(state: State, body: Any, number: int, message: str) -> Any:
    secret = body.get("secureJsonData", {})
    state.secrets[body["uid"]] = state.secrets.get(body["uid"], {}) | secret
    kept = {
        "id": number, "uid": body["uid"], "orgId": 1, "name": body["name"], "type": body["type"],
        "typeLogoUrl": f"public/plugins/{body['type']}/img/influxdb_logo.svg", "access": body["access"],
        "url": body["url"], "user": "", "database": "", "basicAuth": False, "basicAuthUser": "",
        "withCredentials": False, "isDefault": body["isDefault"], "jsonData": body["jsonData"],
        "secureJsonFields": dict.fromkeys(secret, True), "version": 1, "readOnly": False, "apiVersion": "",
    }  # fmt: skip
    state.datasources[body["uid"]] = kept
    return {"datasource": kept, "id": number, "message": message, "name": body["name"]}


def _folders(state: State, method: str, parts: list[str], body: Any) -> Answer:
    if not parts:
        if method == "GET":
            return 200, [{name: kept[name] for name in ("id", "uid", "title")} for kept in state.folders.values()]
        if body["uid"] in state.folders:
            return 412, {"message": "the folder has been changed by someone else"}
        uid, title = body["uid"], body["title"]
        state.folders[uid] = {
            "id": state.new_id(), "uid": uid, "orgId": 1, "title": title, "url": f"/dashboards/f/{uid}/{slug(title)}",
            "hasAcl": False, "canSave": True, "canEdit": True, "canAdmin": True, "canDelete": True,
            "createdBy": "Anonymous", "created": "", "updatedBy": "Anonymous", "updated": "", "version": 1,
        }  # fmt: skip
        return 200, state.folders[uid]
    kept = state.folders.get(parts[0])
    if kept is None:
        return 404, {"message": "folder not found", "status": "not-found"}
    if method == "PUT":
        kept["title"] = body["title"]
    return 200, kept


def _dashboards(state: State, method: str, parts: list[str], body: Any) -> Answer:
    if parts == ["db"] and method == "POST":
        return _save_dashboard(state, body)
    if len(parts) != 2 or parts[0] != "uid":
        return NOT_FOUND
    kept = state.dashboards.get(parts[1])
    if kept is None:
        return 404, {"message": "Dashboard not found"}
    return 200, kept


def _save_dashboard(state: State, body: Any) -> Answer:
    wanted, folder = dict(body["dashboard"]), body.get("folderUid", "")
    uid = wanted["uid"]
    if uid in state.provisioned:
        return 400, {"message": "Cannot save provisioned dashboard"}
    kept = state.dashboards.get(uid)
    if kept is not None and not body.get("overwrite"):
        return 412, {"message": "The dashboard has been changed by someone else", "status": "version-mismatch"}
    number = kept["dashboard"]["id"] if kept else state.new_id()
    wanted.pop("id", None)
    version = 1
    if kept:
        same = {name: value for name, value in kept["dashboard"].items() if name not in {"id", "version"}} == wanted
        version = kept["dashboard"]["version"] + (0 if same else 1)
    url = f"/d/{uid}/{slug(wanted['title'])}"
    meta = {"type": "db", "slug": slug(wanted["title"]), "url": url, "folderUid": folder, "version": version}
    state.dashboards[uid] = {
        "meta": meta | {"provisioned": uid in state.provisioned},
        "dashboard": wanted | {"id": number, "version": version},
    }
    return 200, {
        "folderUid": folder, "id": number, "slug": slug(wanted["title"]), "status": "success", "uid": uid, "url": url,
        "version": version,
    }  # fmt: skip


class FakeGrafana:
    """The fake behind HTTP on a free port of 127.0.0.1, under a path when one is given."""

    def __init__(self, state: State | None = None, path: str = "") -> None:
        self.state = state or State()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def _take(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                text = self.rfile.read(length)
                given = self.path.removeprefix(f"{path}/api")
                fake.state.requests.append((self.command, given))
                status, body = fake.respond(self.command, given, text, self.headers.get("Authorization", ""))
                sent = b"" if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/html" if isinstance(body, str) else "application/json")
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            do_GET = do_POST = do_PUT = do_DELETE = _take  # noqa: N815 - the server looks for these names

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}{path}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="fake-grafana")

    def respond(self, method: str, path: str, text: bytes, authorization: str) -> Answer:
        """Return the answer, failures that were ordered first."""
        if self.state.failures:
            return self.state.failures.pop(0)
        if path != "/health" and authorization != f"Bearer {self.state.token}":
            return 401, {"message": "Invalid API key"}
        return answer(self.state, method, path, json.loads(text) if text and text != b"null" else None)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
