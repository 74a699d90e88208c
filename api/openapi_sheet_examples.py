"""Examples for the API description: trends, a day's fills, trailers and electricity, settings and facts."""

from __future__ import annotations

from typing import Any, Final

FILL: Final[dict[str, Any]] = {
    "hose": "hose-1A",
    "start": "2026-11-23T00:12:05.000Z",
    "end": "2026-11-23T00:27:31.000Z",
    "minutes": 15.43,
    "truck": "10x210",
    "tank_litres": 2100.0,
    "kg": 40.21,
    "tank_kg": 40.05,
    "start_soc": 17.4,
    "end_soc": 97.0,
    "start_mpa": 5.1,
    "end_mpa": 37.4,
    "peak_c": 46.2,
    "link": "yes",
    "result": "complete",
    "stop": "soc",
}
FILLS: Final = {
    "date": "2026-11-23",
    "items": [FILL],
    "under_way": [{"hose": "hose-2A", "start": "2026-11-23T00:31:00.000Z", "kg": 12.4, "asked_kg": 38.1}],
    "next_cursor": None,
}
FILL_CURVE: Final = {
    "hose": "hose-1A",
    "start": "2026-11-23T00:12:05.000Z",
    "end": "2026-11-23T00:27:31.000Z",
    "ended_as": "end",
    "every_ms": 5000,
    "t": [1795392725000, 1795392900000],
    "state": ["connect", "fill"],
    "vehicle_mpa": [None, 9.14],
    "nozzle_mpa": [0.1, 9.6],
    "target_mpa": [None, 9.3],
    "most_mpa": [None, 16.3],
    "kg": [0.0, 6.3],
    "flow_g_s": [0.0, 52.1],
    "soc": [None, 31.2],
    "gas_c": [None, 33.5],
    "delivery_c": [18.2, -19.6],
}
TRAILERS: Final = {
    "date": "2026-11-23",
    "at": "2026-11-23T00:40:00.000Z",
    "bays": [
        {
            "bay": "bay-1",
            "state": "open",
            "since": "2026-11-22T22:10:00.000Z",
            "pressure_mpa": 14.2,
            "temperature_c": 16.0,
            "kg": 284.1,
            "usable_kg": 179.6,
        }
    ],
    "yard": 1,
    "expected": [
        {"id": "T-0412", "eta": "2026-11-23T00:48:00.000Z", "kg": 278.0, "overdue": False, "late_minutes": 0.0}
    ],
    "items": [
        {
            "bay": "bay-2",
            "announced": "2026-11-22T18:24:00.000Z",
            "weighed": "2026-11-22T18:41:00.000Z",
            "docked": "2026-11-22T18:55:00.000Z",
            "open": "2026-11-22T19:40:00.000Z",
            "closed": None,
            "left": None,
            "late_minutes": 17.0,
            "brought_kg": 379.9,
            "returned_kg": None,
            "given_kg": None,
            "scale_kg": None,
            "metered_kg": None,
        }
    ],
    "next_cursor": None,
}
_ENERGY_STRETCH: Final = {
    "start": "2026-11-22T16:00:00.000Z",
    "end": "2026-11-22T17:00:00.000Z",
    "station": {"kwh": 182.4, "kg": 131.0, "kwh_per_kg": 1.392},
    "trains": {"train-1": {"kwh": 96.1, "kg": 88.2, "kwh_per_kg": 1.09}},
    "chillers": {"chiller-1": {"kwh": 21.0, "kg": None, "kwh_per_kg": None}},
    "rest_kwh": 65.3,
}
ENERGY: Final = {"date": "2026-11-23", "whole": _ENERGY_STRETCH, "hours": [_ENERGY_STRETCH]}
SETTINGS: Final = {
    "items": [
        {
            "name": "broker",
            "value": "mqtt://***@broker.example:1883",
            "source": "environment",
            "description": "MQTT broker; none starts the embedded one",
            "secret": False,
            "is_set": True,
        }
    ],
    "next_cursor": None,
}
FACTS: Final = {
    "items": [
        {
            "section": "supply",
            "unit": None,
            "key": "delivery_kg",
            "value": 278.0,
            "mark": "C",
            "note": "net, 20 MPa at 20 degC down to floor_mpa",
            "is_default": False,
        }
    ],
    "next_cursor": None,
}
TRENDS: Final = {
    "t": 1795430400000,
    "every_ms": 3600000,
    "size": 3,
    "series": [
        {
            "signal": "PT-330A",
            "unit": "MPa",
            "mean": [44.12, 43.8, None],
            "min": [43.9, 42.1, None],
            "max": [44.3, 44.2, None],
            "last": None,
            "doubts": [[1, 1, "uncertain:drift"], [2, 1, "bad:null"]],
        }
    ],
}
