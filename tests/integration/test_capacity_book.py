"""What the book makes of a bank and a trailer that nobody measures, held against the detailed plant."""

from __future__ import annotations

import datetime as dt

import msgspec

from api.forecast.tags import capacity_tags
from station.domain.isotherms import density
from station.domain.signals import UnitMessage
from tests.support.virtual_station import VirtualStation, day_start


def without(message: UnitMessage, lost: frozenset[str]) -> UnitMessage:
    """Return a message in which some sensors have failed."""
    if lost.isdisjoint(message.values):
        return message
    return msgspec.structs.replace(
        message, values={tag: None if tag in lost else v for tag, v in message.values.items()}
    )


def test_two_hours_by_book_are_as_near_as_they_say() -> None:
    every = dt.timedelta(seconds=10)
    made = VirtualStation("normal-day", 3, day_start(hour=8.0), step_s=5.0, every=every)
    tags, physics = capacity_tags(made.plant), made.physics
    lost = frozenset[str]()

    def hear(minutes: int) -> None:
        for _ in range(minutes):
            for message in made.station.advance(60, step_s=5.0, every=every):
                made.inputs.observe(without(message, lost))
            made.inputs.tick(made.station.t_ms)

    hear(30)
    # The low bank gives and takes most; of the trailers the poorest is drawn first.
    bays = [b for b in made.inputs.snapshot(made.station.t_ms).bays if b.state == "open" and b.pressure_mpa]
    unit = min(bays, key=lambda b: b.pressure_mpa or 0.0).unit
    bay = next(i for i, b in enumerate(tags.bays) if b.unit == unit)
    lost = frozenset(
        (tags.banks[0].pressure_a, tags.banks[0].pressure_b, tags.bays[bay].pressure, tags.bays[bay].hose_pressure)
    )
    moved: list[tuple[float, float]] = []
    for _ in range(12):
        hear(10)
        now, bank = made.inputs.snapshot(made.station.t_ms), physics.cascade.banks[0].vessel
        book = made.plant.banks[0].volume_m3 * density(now.banks[0].pressure_mpa, now.banks[0].temperature_c)
        assert abs(book - bank.mass) <= 3.0 * now.banks[0].kg_sd, (book, bank.mass, now.banks[0].kg_sd)
        assert abs(now.banks[0].pressure_mpa - bank.pressure) <= 2.0
        moved.append((bank.mass, book))
        trailer = physics.supply.bays[bay].trailer
        if now.bays[bay].state == "open" and trailer is not None and now.bays[bay].pressure_mpa is not None:
            off = abs((now.bays[bay].pressure_mpa or 0.0) - trailer.vessel.pressure)
            assert off <= 1.0, off
    masses = [mass for mass, _ in moved]
    assert max(masses) - min(masses) > 20.0, "a bank at rest would prove nothing"
    assert any(i.source == "model" for i in now.inputs)
