"""Gas quality: each impurity against its limits, now and over the last days."""

from __future__ import annotations

from typing import Final

from api.live.station import LiveStation
from api.people.session_book import Session
from dashboards.console.pages import translator
from dashboards.console.plant.sheet import Sheet, draw_sheet, panel, rows, signals_of
from dashboards.console.registry import ConsolePage
from dashboards.console.texts import TEXTS
from station.domain.plant import Plant

_MODULES: Final = ("plant/quality", "plant/gauge", "plant/plot", "plant/figures")
_RANGES: Final = ("24h", "7d", "30d")
_COURSE: Final = '<p id="course-note" class="muted" role="status"></p><div id="course-plots"></div>'
_AIR: Final = "air_dew_point"
_PER_MILLION: Final = "umol/mol"


def quality_page(live: LiveStation, session: Session, language: str) -> None:
    """Draw the page of gas quality."""
    t, plant = translator(language), live.plant
    ranges = "".join(_range(name, t(f"over_{name}")) for name in _RANGES)
    tags = quality_tags(plant)
    tools = f'<span class="spring"></span><span id="ranges" role="group" aria-label="{t("range_of")}">{ranges}</span>'
    body = f"""
<dl id="quality-figures" class="figures"></dl>
{panel("gas", t("quality_now"), rows("quality-rows", "gas"))}
{panel("course", t("quality_course"), _COURSE, tools=tools)}
<p class="muted small">{t("quality_note")}</p>"""
    layout = {
        "signals": signals_of(live, tags, language),
        "impurities": [tag for tag in tags if plant.signals[tag].unit_of_measure == _PER_MILLION],
    }
    draw_sheet(live, session, language, Sheet("quality", _MODULES, body, layout))


def _range(name: str, label: str) -> str:
    pressed = "true" if name == _RANGES[0] else "false"
    return f'<button type="button" data-range="{name}" aria-pressed="{pressed}">{label}</button>'


def quality_tags(plant: Plant) -> tuple[str, ...]:
    """Return the analysers of the hydrogen, and the dew point of the instrument air."""
    gas = [signal.tag for signal in plant.signals.values() if signal.area == "quality"]
    return (*gas, *plant.tags_with_role(_AIR))


PAGE: Final = ConsolePage("/quality", TEXTS["page_quality"], 75, quality_page, key="q")
