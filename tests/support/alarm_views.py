"""Views of alarms, as the live core tells them."""

from __future__ import annotations

import dataclasses

from station.domain.alarm_views import AlarmView
from station.domain.notices import Place
from station.domain.plant import Text
from tests.support.live_api import NOON
from tests.support.plants import jinma

PLACE = Place("jinma", jinma().label, jinma().timezone, simulated=False)


def view(alarm: str = "PT-330A.HH", number: int = 1, **changes: object) -> AlarmView:
    none = Text("", "")
    words = Text("Bank HB pressure A very high, over 48 MPa", "高压组压力A超高，高于 48 MPa")
    made = AlarmView(
        id=alarm, occurrence=f"{alarm}@{number}", station="jinma", signal=alarm.partition(".")[0], condition="HH",
        priority="high", state="UNACK", active=True, acked=False, latched=False, late=False, shelved_until=None,
        raised_at=NOON, acked_at=None, acked_by=None, cleared_at=None, value=48.3, limit=48.0, first_out=True,
        group="storage/bank-HB", text=words, cause=none, consequence=none, action=Text("Stop the trains.", "停机。"),
    )  # fmt: skip
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]
