"""The what-if of the capacity page: sliders and switches, each of which may be left as the station is now."""

from __future__ import annotations

from html import escape
from typing import Any, Final

from dashboards.console.pages import translator
from station.domain.plant import Plant
from station.domain.what_if import removable_by_kind

WHAT_IF_MODULES: Final = ("what_if", "what_if_form", "what_if_table")
_KINDS: Final = {
    "trains": "what_if_trains",
    "chillers": "what_if_chillers",
    "hoses": "what_if_hoses",
    "banks": "what_if_banks",
    "bays": "what_if_bays",
}
"""Names of the kinds of units that may be away."""
_SLIDERS: Final = (
    ("add", "what_if_add", (-60, 120, 1)),
    ("delay", "what_if_delay", (0, 720, 5)),
    ("ambient", "what_if_ambient", (-40, 60, 0.5)),
)
"""Name, label, and least, greatest, step: what a day may bring. The API takes more (docs/what-if.md)."""


def what_if_section(plant: Plant, language: str) -> str:
    """Return the section's HTML."""
    t = translator(language)
    sliders = "".join(_slider(name, label, span, language) for name, label, span in _SLIDERS)
    trains, *others = removable_by_kind(plant).items()
    return f"""
<section id="what-if" class="panel" aria-labelledby="what-if-title">
  <div class="tools"><h2 id="what-if-title">{t("what_if")}</h2><span class="spring"></span>
    <button id="what-if-reset" type="button" disabled>{t("what_if_reset")}</button></div>
  <form id="what-if-form" autocomplete="off">
    <div id="what-if-sliders">{sliders}</div>
    {_switches(plant, *trains, language)}
    <details id="what-if-others"><summary>{t("what_if_others")} <b id="what-if-away"></b></summary>
      {"".join(_switches(plant, *group, language) for group in others)}</details>
    <label>{t("what_if_plan")} <input name="day" type="date"></label>
  </form>
  <p id="what-if-note" class="muted" role="status">{t("what_if_hint")}</p>
  <table id="what-if-table" hidden></table>
</section>"""


def what_if_layout(plant: Plant) -> dict[str, Any]:
    """Return what the section's script needs: the signal of the air's temperature, and what cannot all be away."""
    ambient = plant.tags_with_role("ambient_temperature")
    return {
        "ambient": ambient[0] if ambient else None,
        "one_of": {_KINDS[kind]: removable_by_kind(plant)[kind] for kind in ("banks", "bays")},
    }


def _slider(name: str, label: str, span: tuple[float, float, float], language: str) -> str:
    t = translator(language)
    least, most, step = span
    leave = escape(t("what_if_leave")).replace("{0}", t(label))
    return f"""
<div class="slider">
  <label for="what-if-{name}">{t(label)}</label>
  <output id="what-if-{name}-now" for="what-if-{name}">{t("what_if_as_is")}</output>
  <input id="what-if-{name}" name="{name}" type="range" min="{least}" max="{most}" step="{step}" value="0">
  <button type="button" data-leave="{name}" aria-label="{leave}" title="{leave}" disabled>↺</button>
</div>"""


def _switches(plant: Plant, kind: str, units: tuple[str, ...], language: str) -> str:
    t = translator(language)
    switches = "".join(
        f'<label class="switch"><input type="checkbox" role="switch" name="unit" value="{escape(unit)}" checked>'
        f"<span>{_unit_name(plant, unit, language)}</span></label>"
        for unit in units
    )
    return f"<fieldset><legend>{t(_KINDS[kind])}</legend>{switches}</fieldset>" if units else ""


def _unit_name(plant: Plant, unit: str, language: str) -> str:
    return escape(next(u.label.in_language(language) for (_, name), u in plant.units.items() if name == unit))
