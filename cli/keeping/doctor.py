"""`jinma doctor`: what is reachable, what is missing, and what mends it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial

from cli.keeping.doctor_disk import look_at_disk, look_at_folder, look_at_spool
from cli.keeping.doctor_services import look_at_api, look_at_broker, look_at_grafana
from cli.keeping.doctor_stores import JournalLook, StoreLook
from cli.keeping.findings import Finding, looked_at
from cli.keeping.place import Place
from cli.running import api_of, broker_of, run_file
from cli.stations import read_plants
from cli.stores import states_of
from station.settings import Settings


def doctor(settings: Settings, *, grafana: str | None, fix: bool, as_json: bool) -> int:
    """Look at everything, print it, and return 0 where nothing is at fault, else 1.

    Raises:
        BadInputError: A setting is wrong.
    """
    findings: list[Finding] = []
    for finding in _findings(settings, grafana, fix=fix):
        findings.append(finding)
        if not as_json:
            print("\n".join(finding.lines()), flush=True)
    faults = sum(finding.state == "fault" for finding in findings)
    if as_json:
        print(json.dumps({"well": not faults, "findings": [finding.as_json() for finding in findings]}))
    else:
        print(f"{faults} to be mended" if faults else "all is well")
    return 1 if faults else 0


def _findings(settings: Settings, grafana: str | None, *, fix: bool) -> Iterator[Finding]:
    place, running = Place.of(settings), run_file(settings.data_dir)
    yield from looked_at("data", partial(look_at_folder, place.folder, running, fix=fix))
    plants = read_plants(settings.plant)
    yield Finding("plant", "ok", ", ".join(f"{plant.id}: {len(plant.signals)} signals" for plant in plants))
    yield from looked_at("broker", lambda: look_at_broker(broker_of(settings), running is not None))
    expected = running is not None or "api" in settings.model_fields_set
    yield from looked_at("api", lambda: look_at_api(api_of(settings), expected=expected))
    if grafana is not None:
        yield from looked_at("grafana", lambda: look_at_grafana(grafana))
    explicit = "keep" in settings.model_fields_set
    store = StoreLook(place, settings.keep, states_of(plants), explicit=explicit, fix=fix)
    journal = JournalLook(place)
    yield from looked_at("readings", store.look)
    yield from looked_at("journal", journal.look)
    yield from looked_at("spool", lambda: look_at_spool(place, settings.spool_bytes))
    local = [store.growth if place.readings is not None else None, journal.growth]
    yield from looked_at("disk", lambda: look_at_disk(place.folder, local))
