"""The console in a real Chromium, fed by the whole service as `jinma run` starts it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.ports import free_port
from tests.support.processes import require_program
from tests.support.service import Service, jinma

FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
ORDER = ["trailer", "compression", "storage", "dispensing", "cooling"]
WIDE, PHONE = {"width": 1920, "height": 1080}, {"width": 390, "height": 844}
UNTIL_LIVE_MS = 40_000
BANK = '[data-unit="storage/bank-HB"] .value[data-tag="PT-330A"] b'
PAINT = """
window.__paint = 0;
new PerformanceObserver((list) => { for (const one of list.getEntries()) window.__paint = one.startTime; })
  .observe({ type: "largest-contentful-paint", buffered: true });
"""
OVERLAPS = """
() => {
  const inSight = (one, rect) => { // Not what a list that scrolls has cut off.
    for (let at = one.parentElement; at && at !== document.body; at = at.parentElement) {
      const box = at.getBoundingClientRect();
      if (getComputedStyle(at).overflowY !== "visible" && (rect.bottom > box.bottom + 1 || rect.top < box.top - 1))
        return false;
    }
    return true;
  };
  const texts = [...document.querySelectorAll("#console :is(h1,h2,h3 .name,dt,b,i,time,button,p,.sub,.alarm-text)")]
    .filter((one) => one.textContent.trim() && one.checkVisibility() && !one.closest("dialog, svg, .heard"))
    .map((one) => { const range = document.createRange(); range.selectNodeContents(one);
      return [one, [...range.getClientRects()]
        .filter((r) => r.width > 1 && r.height > 1 && inSight(one, r))]; });
  const found = [];
  for (const [at, [one, rects]] of texts.entries())
    for (const [other, others] of texts.slice(at + 1)) {
      if (one.contains(other) || other.contains(one)) continue;
      for (const a of rects) for (const b of others) {
        const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        const covered = wide > 2 && high > 0.4 * Math.min(a.height, b.height);
        if (covered) found.push(`${one.textContent}|${other.textContent}`);
      }
    }
  return [...new Set(found)];
}
"""


@dataclass
class Screen:
    """A page, what its console said, and which hosts it asked."""

    page: Page
    problems: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, page: Page) -> Screen:
        screen = cls(page)
        page.on("console", lambda said: screen.problems.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: screen.problems.append(str(error)))
        page.on("request", lambda asked: screen.hosts.add(urlsplit(asked.url).hostname or ""))
        return screen

    def text(self, selector: str) -> str:
        return self.page.locator(selector).first.inner_text()

    def wait_live(self) -> None:
        expect(self.page.locator("#link")).to_have_attribute("data-state", "live", timeout=UNTIL_LIVE_MS)

    def wait_changed(self, selector: str, within_ms: int = 10_000) -> None:
        expect(self.page.locator(selector).first).not_to_have_text(self.text(selector), timeout=within_ms)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = require_program("chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(program), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with Service("--port", str(free_port())) as running:
        running.wait_live()
        yield running


@pytest.fixture
def screen(browser: Browser, service: Service) -> Iterator[Screen]:
    context = browser.new_context(viewport=WIDE, locale="en-GB")
    log_in(context.request, service)
    yield Screen.of(context.new_page())
    context.close()


def log_in(request: object, service: Service) -> None:
    token = (service.data_dir / "admin.token").read_text().strip()
    answer = request.post(f"{service.url}/api/v1/session", data={"token": token})  # type: ignore[attr-defined]
    assert answer.ok, answer.text()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_live_value_appears_and_changes_offline_and_without_errors(
    screen: Screen, service: Service, language: str
) -> None:
    screen.page.add_init_script(PAINT)
    screen.page.goto(f"{service.url}/console?lang={language}")
    screen.wait_live()
    expect(screen.page.locator(BANK)).to_contain_text(".", timeout=5000)
    screen.wait_changed("#trend-value", 15_000)
    expect(screen.page.locator("#trend-chart canvas")).to_be_visible()
    expect(screen.page.locator("#simulated")).to_be_visible()
    expect(screen.page.locator("#zone")).to_have_text("Asia/Shanghai UTC+8")
    assert ("加注" in screen.text("#mimic")) == (language == "zh")
    assert screen.problems == []
    assert screen.hosts == {"127.0.0.1"}


def test_the_overview_is_painted_within_a_second_and_a_half(screen: Screen, service: Service) -> None:
    """Of three loads the best: other tests may have the machine meanwhile."""
    screen.page.add_init_script(PAINT)
    paints = []
    for _ in range(3):
        screen.page.goto(f"{service.url}/console/?lang=en")
        screen.wait_live()
        expect(screen.page.locator("#trend-chart canvas")).to_be_visible()
        paints.append(screen.page.evaluate("window.__paint"))
    assert 0 < min(paints) < 1500, paints


def test_the_language_is_remembered(screen: Screen, service: Service) -> None:
    screen.page.goto(f"{service.url}/console/?lang=zh")
    screen.wait_live()
    screen.page.goto(f"{service.url}/console/")
    expect(screen.page.locator("#alarms-title")).to_contain_text("报警")


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_scrolls_sideways_and_no_text_lies_on_another(
    screen: Screen, service: Service, viewport: dict[str, int], language: str
) -> None:
    screen.page.set_viewport_size(viewport)  # type: ignore[arg-type]
    screen.page.goto(f"{service.url}/console/?lang={language}")
    screen.wait_live()
    expect(screen.page.locator("#trend-chart canvas")).to_be_visible()
    assert screen.page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    if viewport is WIDE:
        assert screen.page.evaluate("document.documentElement.scrollHeight") <= viewport["height"]
    assert screen.page.evaluate(OVERLAPS) == []


def test_an_alarm_is_shown_and_acknowledged_with_a_comment_by_keyboard(screen: Screen, service: Service) -> None:
    screen.page.goto(f"{service.url}/console/?lang=en")
    screen.wait_live()
    assert jinma("fault", "train-trip", "--unit", "train-2", "--for", "10m", "--broker", service.broker).returncode == 0
    row = screen.page.locator('#alarm-list li[data-id="XS-220D.STATE"]')
    expect(row).to_be_visible(timeout=20_000)
    expect(row.get_by_label("high")).to_be_visible()
    expect(screen.page.locator('[data-unit="compression/train-2"] .state')).to_contain_text("✕ trip")
    row.get_by_role("button").focus()
    screen.page.keyboard.press("Enter")
    expect(screen.page.locator("#act-comment")).to_be_focused()
    screen.page.keyboard.type("seen, fitter called")
    screen.page.keyboard.press("Enter")
    expect(row.locator(".alarm-state")).to_have_text("acknowledged")
    expect(screen.page.locator("#act")).not_to_be_visible()
    journal = service.get("/stations/jinma/alarms/journal", limit=10_000)["items"]
    assert "seen, fitter called" in [entry["note"] for entry in journal if entry["id"] == "XS-220D.STATE"]
    assert screen.problems == []


@pytest.mark.parametrize(
    ("held", "dressed", "shown"),
    [
        ("[null, 'bad:null', now]", "q-bad", "–"),
        ("[12.3, 'bad:range', now]", "q-bad", "12.3"),
        ("[12.3, 'good', now - 60000]", "q-stale", "12.3"),
        ("[12.3, 'uncertain:drift', now]", "q-uncertain", "12.3"),
        ("[12.3, 'good', now]", "", "12.3"),
    ],
)
def test_a_value_that_is_bad_old_or_doubtful_never_looks_good(
    screen: Screen, service: Service, held: str, dressed: str, shown: str
) -> None:
    screen.page.goto(f"{service.url}/console/?lang=en")
    screen.wait_live()
    put = f"""async () => {{
      const numbers = await import("/console/static/numbers.js"), mimic = await import("/console/static/mimic.js");
      const now = numbers.stationNow();
      mimic.refresh(numbers.takeValues({{"PT-121": {held}}}, false));
      const cell = document.querySelector('.value[data-tag="PT-121"]');
      return [[...cell.classList].filter((name) => name.startsWith("q-")).join(), cell.querySelector("b").textContent];
    }}"""
    assert screen.page.evaluate(put) == [dressed, shown]


PIPES = """
async (held) => {
  const numbers = await import("/console/static/numbers.js"), mimic = await import("/console/static/mimic.js");
  const now = numbers.stationNow();
  const entries = Object.entries(held).map(([tag, [value, quality]]) => [tag, [value, quality, now]]);
  mimic.refresh(numbers.takeValues(Object.fromEntries(entries), false));
  return [...document.querySelectorAll("#pipes .used[data-end]")].map((one) => one.dataset.end).sort();
}
"""
QUIET = ["FT-114", "FT-124", "FT-134", "FT-144", "FT-210B", "FT-220B", "FT-230B", "FT-240B"]
QUIET += [f"FT-5{number}5{side}" for number in (1, 2, 3, 4) for side in "AB"]
QUIET += [f"ZS-3{number}0{side}" for number in (1, 2, 3) for side in "DE"]
QUIET += ["XS-310F", "XS-320F", "XS-330F", "FS-352", "FT-4103", "FT-4203"]


@pytest.mark.parametrize(
    ("said", "used"),
    [
        ({}, []),
        (
            {"FT-124": (200.0, "good"), "FT-220B": (100.0, "good"), "ZS-310D": (1, "good")},
            ["compression/train-2", "from compression/train-2", "storage/bank-LB", "trailer/bay-2"],
        ),
        ({"ZS-310D": (1, "good"), "ZS-320E": (1, "good")}, []),
        (
            {"FT-525B": (40.0, "good"), "ZS-330E": (1, "good")},
            ["banks", "dispensing/hose-2B", "from storage/bank-HB"],
        ),
        (
            {"FT-114": (150.0, "good"), "FT-515A": (40.0, "good")},
            ["direct", "dispensing/hose-1A", "trailer/bay-1"],
        ),
        ({"FT-124": (200.0, "bad:range"), "FT-220B": (None, "bad:null")}, []),
        ({"XS-330F": (1, "good")}, ["relief", "vent"]),
    ],
    ids=[
        "quiet",
        "to a bank",
        "open, but nothing flows",
        "from a bank",
        "past the banks",
        "not to be believed",
        "vent",
    ],
)
def test_a_pipe_is_in_use_where_gas_moves_and_only_there(
    screen: Screen, service: Service, said: dict[str, tuple[float | None, str]], used: list[str]
) -> None:
    screen.page.goto(f"{service.url}/console/?lang=en")
    screen.wait_live()
    expect(screen.page.locator("#pipes [data-end]").first).to_be_attached()
    held = dict.fromkeys(QUIET, (0.0, "good")) | said
    found = screen.page.evaluate(PIPES, held)
    assert [end for end in found if end != "trailer/header-lp"] == used


OUTSIDE = """
async () => {
  const numbers = await import("/console/static/numbers.js"), mimic = await import("/console/static/mimic.js");
  const { layout } = await import("/console/static/dom.js");
  const now = numbers.stationNow();
  const full = Object.entries(layout.signals).map(([tag, { states, range, limits, unit }]) => {
    const most = Math.max(range[1], ...Object.values(limits));
    const longest = states && states.map((name, at) => [name.length, at]).sort((one, other) => other[0] - one[0])[0][1];
    return [tag, [states ? longest : unit === "kg" ? 55.5 : most, "good", now]];
  });
  numbers.takeValues(Object.fromEntries(full), false);
  for (const { tiles } of layout.sections) // Numbers that show in some states only are to be seen as well.
    for (const { rows, main } of tiles) for (const row of [...rows, ...(main ? [main] : [])]) delete row.only;
  mimic.refreshAll();
  return [...document.querySelectorAll("#mimic .tile")].flatMap((tile) => {
    const box = tile.getBoundingClientRect();
    const beside = [...tile.querySelectorAll("b, i, dt, .name, .state")].filter((one) => {
      const at = one.getBoundingClientRect();
      return at.width > 0 && (at.right > box.right + 0.5 || at.left < box.left - 0.5);
    });
    const below = [...tile.querySelectorAll(".main, dl > div, h3")].filter((one) => {
      const at = one.getBoundingClientRect();
      return at.height > 0 && (at.bottom > box.bottom || at.top < box.top);
    });
    const out = [...beside, ...below];
    return out.map((one) => `${tile.dataset.unit}: ${one.textContent}`);
  });
}
"""


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("place", ["", "wall=1&"], ids=["desk", "wall"])
def test_the_longest_values_stay_in_their_tiles(screen: Screen, service: Service, place: str, language: str) -> None:
    screen.page.goto(f"{service.url}/console/?{place}lang={language}")
    screen.wait_live()
    assert screen.page.evaluate(OUTSIDE) == []


CUT_NAMES = """
async () => {
  const { symbol } = await import("/console/static/symbols.js");
  for (const mark of document.querySelectorAll("#mimic .tile h3 > .mark")) mark.replaceChildren(symbol("high", false));
  return [...document.querySelectorAll("#mimic .tile h3 .name")].filter((name) => {
    const words = document.createRange(), tile = name.closest(".tile").getBoundingClientRect();
    words.selectNodeContents(name);
    const seen = name.getBoundingClientRect();
    return [...words.getClientRects()].some((line) => line.right > seen.right + 1 || line.bottom > seen.bottom + 4
      || line.right > tile.right || line.bottom > tile.bottom);
  }).map((name) => name.textContent);
}
"""
ROWS = """
async () => {
  const { wholeRows } = await import("/console/static/whole_rows.js");
  const list = document.getElementById("alarm-list");
  const words = (at) => "gateway silent ".repeat(at % 7 + 1);
  const row = (_, at) => Object.assign(document.createElement("li"), { textContent: words(at) });
  list.replaceChildren(...Array.from({ length: 30 }, row));
  const below = wholeRows(list)();
  const end = list.getBoundingClientRect().bottom;
  const shown = [...list.children].filter((row) => row.getBoundingClientRect().top < end - 1);
  return [below + shown.length, shown.length > 0, shown.at(-1).getBoundingClientRect().bottom <= end + 1];
}
"""


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("place", ["", "wall=1&"], ids=["desk", "wall"])
def test_names_beside_alarm_marks_and_rows_of_the_list_are_whole(
    screen: Screen, service: Service, place: str, language: str
) -> None:
    screen.page.goto(f"{service.url}/console/?{place}lang={language}")
    screen.wait_live()
    assert screen.page.evaluate(CUT_NAMES) == []
    assert screen.page.evaluate(ROWS) == [30, True, True]


def test_pipes_lead_from_section_to_section_on_a_phone(screen: Screen, service: Service) -> None:
    screen.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    screen.page.goto(f"{service.url}/console/?lang=en")
    screen.wait_live()
    expect(screen.page.locator("#pipes .pipe .head")).to_have_count(4)
    places = "(all) => all.map((one) => one.getBoundingClientRect().top)"
    tops = {name: screen.page.locator(f".area-{name}").evaluate_all(places)[0] for name in ORDER}
    heads = sorted(screen.page.locator("#pipes .pipe .head").evaluate_all(places))
    assert sorted(tops, key=tops.__getitem__) == ORDER
    assert [sum(head < tops[name] for head in heads) for name in ORDER] == [0, 1, 2, 3, 4]


def test_any_signal_is_found_by_its_name(screen: Screen, service: Service) -> None:
    screen.page.goto(f"{service.url}/console/?lang=en")
    screen.wait_live()
    expect(screen.page.locator("#trend-chart canvas")).to_be_visible()
    screen.page.locator("#trend-signal").fill("TT-841")
    screen.page.locator("#trend-signal").press("Enter")
    expect(screen.page.locator("#trend-value")).to_contain_text("°C")
    screen.page.get_by_role("button", name="15 min").click()
    expect(screen.page.get_by_role("button", name="15 min")).to_have_attribute("aria-pressed", "true")


def test_who_is_not_known_gets_the_login_page_and_a_wrong_token_a_clear_word(
    browser: Browser, service: Service
) -> None:
    context = browser.new_context(viewport=PHONE, locale="zh-CN")
    page = context.new_page()
    page.goto(f"{service.url}/console")
    page.locator("#token").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#login-error")).to_have_text("用户名、密码或令牌错误，或已失效。")
    page.locator("#token").fill((service.data_dir / "admin.token").read_text().strip())
    page.keyboard.press("Enter")
    expect(page.locator("#mimic")).to_be_visible()
    context.close()


@pytest.mark.alone
def test_a_silent_server_shows_no_data_within_three_seconds_and_its_return_shows_by_itself(
    screen: Screen, service: Service
) -> None:
    screen.page.goto(f"{service.url}/console/?lang=en")
    screen.wait_live()
    os.kill(service.process.pid, signal.SIGSTOP)
    try:
        expect(screen.page.locator("#link-state")).to_contain_text("No data since", timeout=3000)
        expect(screen.page.locator("#console")).to_have_class("no-data")
    finally:
        os.kill(service.process.pid, signal.SIGCONT)
    screen.wait_live()
    expect(screen.page.locator("#console")).not_to_have_class("no-data")


@pytest.mark.alone
def test_a_stopped_server_shows_no_data_and_after_its_restart_the_console_lives(
    screen: Screen, service: Service
) -> None:
    """A wall screen has nobody to log it in again: its session outlives the service that opened it."""
    screen.page.goto(f"{service.url}/console/?lang=en")
    screen.wait_live()
    service.interrupt()
    expect(screen.page.locator("#link-state")).to_contain_text("No data since", timeout=3000)
    service.start()
    service.wait_live()
    screen.wait_live()
