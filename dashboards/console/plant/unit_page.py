"""One unit: what its signals say now, its alarms, its last hours, what it is, whether it is in maintenance."""

from __future__ import annotations

from html import escape
from typing import Any, Final

from api.live.station import LiveStation
from api.people.session_book import Session
from dashboards.console.pages import translator
from dashboards.console.plant.sheet import Sheet, draw_sheet, panel, rows, signals_of
from dashboards.console.registry import ConsolePage
from station.domain.plant import Plant, UnitKey

_MODULES: Final = (
    "plant/unit", "plant/gauge", "plant/spark", "plant/facts", "plant/unit_alarms", "standing", "alarm_words",
    "journal",
)  # fmt: skip
_TOGETHER: Final = ("dispensing", "vehicle")
"""Areas in which a hose stands under the same name: what it says and what its vehicle says are seen together."""


def unit_page(live: LiveStation, session: Session, language: str, area: str, unit: str) -> None:
    """Draw a unit, or say that there is none of this name."""
    t, plant = translator(language), live.plant
    if (area, unit) not in plant.units:
        refusal = (
            f'<section class="panel" role="alert"><h2>{t("no_unit")}</h2><p>{escape(f"{area}/{unit}")}</p></section>'
        )
        draw_sheet(live, session, language, Sheet("units", ("plant/plain",), refusal))
        return
    keys = unit_keys(plant, (area, unit))
    tags = tuple(tag for key in keys for tag in plant.units[key].tags)
    body = f"""
<div class="tools unit-head"><h2 id="unit-title">{escape(plant.units[area, unit].label.in_language(language))}</h2>
  <span class="muted">{t(f"area_{area}")} · {escape(unit)}</span><span id="unit-state" class="state"></span>
  <span class="spring"></span><label>{t("other_unit")} <select id="other-unit">{_options(plant, (area, unit), language)}
  </select></label></div>
<p id="maintenance-now" class="flagged" role="status" hidden></p>
{panel("signals", t("unit_signals"), rows("signal-rows", "signals"))}
<div class="pair">
{panel("unit-alarms", t("unit_alarms"), rows("alarm-rows", "unit-alarms"))}
{panel("what", t("unit_what"), rows("fact-rows", "what"))}
</div>
{panel("history", t("unit_history"), rows("history-rows", "history"))}"""
    layout = {"unit": _unit_layout(plant, keys), "signals": signals_of(live, tags, language)}
    draw_sheet(live, session, language, Sheet("units", _MODULES, body, layout))


def unit_keys(plant: Plant, key: UnitKey) -> list[UnitKey]:
    """Return a unit's keys: a hose's in both of its areas, the one asked for first."""
    area, unit = key
    others = [(one, unit) for one in _TOGETHER if area in _TOGETHER and one != area]
    return [key, *(other for other in others if other in plant.units)]


def _unit_layout(plant: Plant, keys: list[UnitKey]) -> dict[str, Any]:
    signals = [plant.signals[tag] for key in keys for tag in plant.units[key].tags]
    state = next((signal.tag for signal in signals if signal.role == "state"), None)
    return {
        "keys": [f"{area}/{unit}" for area, unit in keys],
        "name": keys[0][1],
        "tags": [signal.tag for signal in signals],
        "state": state,
        # Its signals speak in some states only: blank is no fault then.
        "only": {signal.tag: _speaking(plant, state) for signal in signals if signal.area == "vehicle"},
    }


def _speaking(plant: Plant, state: str | None) -> list[int]:
    names = [] if state is None else [one.en for one in plant.signals[state].states]
    return [number for number, name in enumerate(names) if name in ("leak-check", "fill", "hold")]


def _options(plant: Plant, here: UnitKey, language: str) -> str:
    areas: dict[str, list[str]] = {}
    for key, unit in plant.units.items():
        chosen = " selected" if key == here else ""
        name = escape(unit.label.in_language(language))
        option = f'<option value="{escape("/".join(key))}"{chosen}>{name}</option>'
        areas.setdefault(key[0], []).append(option)
    t = translator(language)
    groups = (f'<optgroup label="{t(f"area_{area}")}">{"".join(found)}</optgroup>' for area, found in areas.items())
    return "".join(groups)


PAGE: Final = ConsolePage("/units/{area}/{unit}", None, 41, unit_page)
