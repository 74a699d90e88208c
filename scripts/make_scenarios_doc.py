"""Make docs/scenarios.md from the table of keys and the shipped scenarios: `python -m scripts.make_scenarios_doc`."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from itertools import groupby

from simulators.scenario import scenario_names, shipped_scenario
from simulators.scenario_keys import key_rows, sections
from simulators.scenario_timeline import hour, timeline
from station.adapters.plant_files import shipped_plant
from station.domain.plant import Plant

OUTPUT = pathlib.Path(__file__).parents[1] / "docs" / "scenarios.md"
_COLUMNS = ("key", "format", "unit", "default", "range", "meaning")
_BEGIN = """# Scenarios

A scenario says what a simulated day is like: how many trucks come, how late the trailers are, how warm it is, and what
goes wrong. `jinma run --scenario NAME`, `jinma simulate --scenario NAME` and `jinma simulate --scenario FILE.toml`
play one; `jinma check FILE.toml` holds one against the rules and prints its day, `jinma check --keys scenario` this
table. All hours are the station's own; a scenario comes again on every day.

This page is made from the program: `python -m scripts.make_scenarios_doc`.
"""


def scenario_document(plant: Plant) -> str:
    """Return the text of docs/scenarios.md; the shipped scenarios name units of this station."""
    return "\n".join([_BEGIN, *_shipped(plant), *_keys()]) + "\n"


def _shipped(plant: Plant) -> Iterator[str]:
    yield "## Shipped scenarios\n"
    for name in scenario_names():
        scenario = shipped_scenario(name, plant)
        yield f"### {name}\n\n{scenario.title.en}. {scenario.title.zh}\u3002\n"
        lines = timeline(scenario, plant)
        if lines:
            yield "| hour | until | days | what | unit | |\n|---|---|---|---|---|---|"
            for line in lines:
                what = f"{line.unit} {line.signal}".strip()
                cells = (hour(line.at), hour(line.until), line.days, line.event, what, line.en)
                yield "| " + " | ".join(_cell(cell) for cell in cells) + " |"
            yield ""


def _keys() -> Iterator[str]:
    yield "## Keys\n"
    texts = {part.head: part.en for part in sections().values()}
    for head, rows in groupby(key_rows(), lambda row: row["section"]):
        yield f"### {head}\n\n{texts[head]}\n\n| {' | '.join(_COLUMNS)} |\n|{'---|' * len(_COLUMNS)}"
        for row in rows:
            yield f"| `{row['key']}` | " + " | ".join(_cell(row[column]) for column in _COLUMNS[1:]) + " |"
        yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    OUTPUT.write_text(scenario_document(shipped_plant()), encoding="utf-8")
