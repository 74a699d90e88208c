"""The notices of one service: desk and deliveries together, and what the rest of it asks of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from api.live.station import LiveStation
from api.notices.delivery import Delivery
from api.notices.desk import Heard, NoticeDesk
from station.domain.alarm_views import AlarmView
from station.domain.notices import Place
from station.notice_ports import NoticeRow, NoticeTry

_TEST_S = 20.0
"""How long whoever asks for a test waits for all targets."""


@dataclass(frozen=True, slots=True)
class Trial:
    """How a test notice went: `ok` is None where the target has not answered in time."""

    target: str
    ok: bool | None
    answer: str


@dataclass(frozen=True)
class NoticeService:
    """Desk and deliveries.

    Attributes:
        desk: Makes notices of alarms.
        deliveries: One for each target.
    """

    desk: NoticeDesk
    deliveries: Sequence[Delivery]

    def listen_to(self, live: LiveStation) -> None:
        """Hear a station's alarms from now on."""
        live.alarm_listeners.append(lambda view: self.desk.hear(_heard(live, view)))

    def recover(self, live: LiveStation) -> None:
        """Take how every alarm of a station stands at the start."""
        views = [live.alarms.alarm(alarm) for alarm in live.alarms.ids()]
        self.desk.recover(live.plant.id, [_heard(live, view) for view in views if view.occurrence])

    def stir(self) -> None:
        """Let every target look for something to send."""
        for delivery in self.deliveries:
            delivery.stir()

    def trouble(self) -> str | None:
        """Return which targets notices do not reach, None where all is well."""
        names = [delivery.name for delivery in self.deliveries if delivery.in_trouble]
        return ", ".join(names) if names else None

    def try_out(self, live: LiveStation, who: str) -> list[Trial]:
        """Send a test over every target at once and return how each went."""
        rows = {row.target: row for row in self.desk.try_out(place_of(live), who)}
        found: dict[str, NoticeTry] = {}
        threads = [
            threading.Thread(target=_try, args=(delivery, rows[delivery.name], found), daemon=True)
            for delivery in self.deliveries
        ]
        for thread in threads:
            thread.start()
        until_s = time.monotonic() + _TEST_S
        for thread in threads:
            thread.join(max(0.0, until_s - time.monotonic()))
        return [_trial(delivery.name, found.get(delivery.name)) for delivery in self.deliveries]


def place_of(live: LiveStation) -> Place:
    """Return how a station is spoken of."""
    return Place(live.plant.id, live.plant.label, live.plant.timezone, live.is_simulated)


def _heard(live: LiveStation, view: AlarmView) -> Heard:
    signal = live.plant.signals.get(view.signal or "")
    area = signal.area if signal is not None else ("capacity" if view.id in live.plant.capacity_alarms else "system")
    return Heard(view, area, place_of(live))


def _try(delivery: Delivery, row: NoticeRow, found: dict[str, NoticeTry]) -> None:
    found[delivery.name] = delivery.deliver(row)


def _trial(name: str, tried: NoticeTry | None) -> Trial:
    return Trial(name, None, "no answer yet") if tried is None else Trial(name, tried.ok, tried.answer)
