"""Make docs/screenshots out of a running service: `python -m scripts.make_screenshots [--only NAME ..]`.

The whole service is started in a process of its own, at 30 times real speed, on a day on which trailers stay away; a
train trips and a chiller fails, so that there is something to be seen. Every page of the console is kept in both
languages as `NAME-LANGUAGE.webp`: `NAME-phone-*` are as wide as a phone, `NAME-dark-*` have the dark look.
"""

from __future__ import annotations

import argparse
import io
import json
import operator
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from PIL import Image
from playwright.sync_api import Browser, Page, Request, ViewportSize, expect, sync_playwright

from api.people.roles import Role
from dashboards.console.language import LANGUAGES
from dashboards.console.registry import offered_pages
from dashboards.console.texts import TEXTS
from tests.support.ports import free_port
from tests.support.processes import require_program, wait_until
from tests.support.service import Service, jinma

OUTPUT: Final = Path(__file__).parents[1] / "docs" / "screenshots"
DESK: Final[ViewportSize] = {"width": 1920, "height": 1080}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
PHONE_PAGES: Final = ("overview", "capacity", "alarms", "trends")
DARK_PAGES: Final = ("overview",)
SPEED: Final = 30
"""Station seconds a second: an hour of alarms and fills passes while the pictures are taken."""
FAULTS: Final = (
    ("train-trip", "--unit", "train-3"),
    ("chiller-loss", "--unit", "chiller-1"),
    ("filter-plug", "--unit", "filter-1"),
    ("sensor-dropout", "--unit", "bank-MB", "--signal", "PT-320A"),
)
"""What is abnormal in the pictures: two machines, a slow fault of the plant, and a sensor that fails."""
LEAST_ALARMS: Final = 4
PEOPLE: Final = (("li.wei", "operator"), ("wang.fang", "engineer"), ("zhao.min", "viewer"))
ALARMS_WITHIN_S: Final = 240.0
PATIENCE_MS: Final = 60_000.0
REPLAY_MS: Final = 120_000.0
"""An hour of the station is read, and lived through."""
QUIET_LOOKS: Final = 6
"""So many looks, 0.1 s apart, at which no request is on its way: a page that is loaded asks for no more."""
COLOURS: Final = 128
AREAS: Final = 64
"""The console is made of greys and a handful of colours: more than these nobody sees in a picture of it."""
FLAGS: Final = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--hide-scrollbars")
TRENDS: Final = "#s=PT-330A,PT-320A,PT-310A,TT-4101&span=14400000"
"""Pressures of the three banks and a chiller's temperature through four hours."""
LIVE: Final = '#link[data-state="live"]'
LOCALES: Final = {"en": "en-GB", "zh": "zh-CN"}
PAINTED: Final = {
    "overview": "#mimic .value b",
    "alarms": "#alarm-groups [data-id]",
    "trends": "#trends-chart canvas",
    "reports": "#report-note:empty",
    "unit": "#signal-rows .spark path",
}
"""What stands on a page once it is drawn, beyond what it asked the server for."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture of one page.

    Args:
        name: Of its file, before the language.
        path: Below `/console/`, with what follows the language behind `#`.
        size: Of the window.
        dark: Whether in the dark look.
        act: What is done before the picture is taken.
        query: More of the address.
    """

    name: str
    path: str
    size: ViewportSize
    dark: bool = False
    act: Callable[[Page], None] | None = None
    query: str = ""


def shots() -> Iterator[Shot]:
    """Yield every picture: the pages of the registry, and what they show once something is chosen."""
    for page in offered_pages(Role.ADMIN):
        path = page.path.strip("/") + (TRENDS if page.name == "trends" else "")
        yield Shot(page.name, path, DESK, act=_ACTS.get(page.name))
        if page.name in PHONE_PAGES:
            yield Shot(f"{page.name}-phone", path, PHONE)
        if page.name in DARK_PAGES:
            yield Shot(f"{page.name}-dark", path, DESK, dark=True)
    yield Shot("unit", "units/compression/train-3", DESK)
    yield Shot("alarm", "alarms", DESK, act=_open_alarm)
    yield Shot("fill", "fills", DESK, act=_open_fill)
    yield Shot("wall", "", DESK, query="&wall=1")
    yield Shot("login", "", DESK)


def main() -> None:
    """Start what is looked at, unless a running service is named by its data directory, and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="names of pictures, without the language")
    parser.add_argument("--data-dir", type=Path, help="of a `jinma run` that runs already")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    asked = parser.parse_args()
    chosen = [shot for shot in shots() if not asked.only or shot.name in asked.only]
    asked.output.mkdir(parents=True, exist_ok=True)
    if asked.data_dir:
        _take_all(Service(data_dir=asked.data_dir), chosen, asked.output)
        return
    with Service("--port", str(free_port()), "--scenario", "late-trailers", "--speed", str(SPEED)) as service:
        service.wait_live()
        _add_people(service)
        _break_something(service)
        _take_all(service, chosen, asked.output)


def _break_something(service: Service) -> None:
    """Let faults begin, and return once their alarms stand."""
    for fault in FAULTS:
        done = jinma("fault", *fault, "--for", "6h", "--broker", service.broker)
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
    wait_until(lambda: _standing(service) >= LEAST_ALARMS, ALARMS_WITHIN_S, "alarms of the faults", every_s=0.5)


def _add_people(service: Service) -> None:
    """Let the page of people have somebody to show."""
    for name, role in PEOPLE:
        body = {"name": name, "role": role, "password": secrets.token_urlsafe()}
        service.ask("POST", "/users", json=body).raise_for_status()


def _standing(service: Service) -> int:
    return sum(alarm["state"] == "UNACK" for alarm in service.get("/stations/jinma/alarms")["items"])


def _take_all(service: Service, chosen: list[Shot], output: Path) -> None:
    with sync_playwright() as playwright:
        program = str(require_program("chromium"))
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        try:
            for shot in chosen:
                for language in LANGUAGES:
                    file = output / f"{shot.name}-{language}.webp"
                    file.write_bytes(compact(_picture(browser, service, shot, language)))
                    print(f"{file.name}: {file.stat().st_size / 1e3:.0f} kB", flush=True)
        finally:
            browser.close()


def _picture(browser: Browser, service: Service, shot: Shot, language: str) -> bytes:
    """Return a picture as PNG."""
    context = browser.new_context(
        locale=LOCALES[language],
        viewport=shot.size,
        color_scheme="dark" if shot.dark else "light",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MS)
    if shot.name != "login":
        body = json.dumps({"token": service.token})
        context.request.post(f"{service.url}/api/v1/session", data=body, headers={"Content-Type": "application/json"})
    page = context.new_page()
    under_way = _watched(page)
    path, mark, part = shot.path.partition("#")
    page.goto(f"{service.url}/console/{path}?lang={language}{shot.query}{mark}{part}")
    if shot.name != "login":
        page.wait_for_selector(LIVE)
        _wait_painted(page, shot, under_way)
    taken = page.screenshot(animations="disabled")
    context.close()
    return taken


def _watched(page: Page) -> set[Request]:
    """Return the requests of a page that are on their way; streams never end and do not count."""
    under_way: set[Request] = set()
    page.on("request", lambda one: under_way.add(one) if "/stream" not in one.url else None)
    for event in ("requestfinished", "requestfailed"):
        page.on(event, lambda one: under_way.discard(one))  # noqa: PLW0108 - playwright wants a function
    return under_way


def _wait_painted(page: Page, shot: Shot, under_way: set[Request]) -> None:
    """Return once the page has all it asked for, has done what is asked of it, and has drawn it."""
    _wait_answered(page, under_way)
    drawn = PAINTED.get(shot.name.split("-", maxsplit=1)[0])
    if drawn:
        page.locator(drawn).first.wait_for(state="attached")
    if shot.act:
        shot.act(page)
        _wait_answered(page, under_way)
    page.wait_for_function("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def _wait_answered(page: Page, under_way: set[Request]) -> None:
    quiet = 0
    for _ in range(int(PATIENCE_MS / 100)):
        page.wait_for_timeout(100)
        quiet = 0 if under_way else quiet + 1
        if quiet == QUIET_LOOKS:
            return
    raise SystemExit(f"{page.url}: no answer to {[one.url for one in under_way]}")


def _open_alarm(page: Page) -> None:
    """Open the first alarm of the list in full."""
    page.locator("#alarm-groups [data-id] button.what").first.click()


def _open_fill(page: Page) -> None:
    """Open the first fill's curve."""
    page.locator("[data-fill] button").first.click()
    page.locator("#curve-plots .plot svg").nth(4).wait_for()


def _ask_what_if(page: Page) -> None:
    """Let some trucks more come: their answer stands beside the forecast as it is."""
    slider = page.locator("#what-if-add")
    slider.focus()
    for _ in range(2):
        slider.press("PageUp")
    slider.blur()
    page.locator("#what-if-table td").first.wait_for()


def _play(page: Page) -> None:
    """Replay what the form proposes to its end: alarms of that time stand beside those by today's limits."""
    state = page.locator("#player-state")
    page.locator("#replay-range button[type=submit]").click()
    expect(state).to_have_text(_either("replay_paused"), timeout=REPLAY_MS)
    page.locator("#player-speed").select_option("max")
    page.locator("#play").click()
    expect(state).to_have_text(_either("replay_ended"), timeout=REPLAY_MS)
    page.locator("#replay-values tbody tr").first.wait_for()


def _either(key: str) -> re.Pattern[str]:
    """Return what a text is in either language."""
    return re.compile(f"^({TEXTS[key].en}|{TEXTS[key].zh})$")


_ACTS: Final[dict[str, Callable[[Page], None]]] = {"capacity": _ask_what_if, "replay": _play}


def compact(png: bytes) -> bytes:
    """Return a picture as a lossless WebP of few colours.

    The areas of a page keep their exact colours, being the most frequent ones; the rest, which is the edges of
    letters and the few pixels of an alarm, shares what a palette finds for them.

    Args:
        png: As the browser took it.
    """
    image = Image.open(io.BytesIO(png)).convert("RGB")
    counted = image.getcolors(image.width * image.height) or []
    areas = [colour for _, colour in sorted(counted, key=operator.itemgetter(0), reverse=True)[:AREAS]]
    edges = image.quantize(COLOURS - AREAS, method=Image.Quantize.MAXCOVERAGE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in areas for part in cast("tuple[int, ...]", colour)] + edges)
    kept = io.BytesIO()
    few = image.quantize(palette=palette, dither=Image.Dither.NONE).convert("RGB")
    few.save(kept, "WEBP", lossless=True, quality=90, method=5)
    return kept.getvalue()


if __name__ == "__main__":
    main()
