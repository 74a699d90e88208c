"""Redundant transmitters that tell two stories: which of them is wrong, where it can be told.

Both stand on the same gas, so a difference beyond what their range allows is one of them drifting, biased or stuck. One
that is out of its range, or that moved while the meters and the other banks say that nothing moved (or the other way
round), is dropped. Where that cannot be told both are named uncertain and their mean is used.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from api.forecast.measured import Measured
from api.forecast.tags import BankTags, CapacityTags
from station.domain.capacity_parameters import CapacityParameters
from station.domain.isotherms import density
from station.domain.plant import Plant

APART, DROPPED = "uncertain:twins-apart", "bad:twin-differs"
_WINDOW = 60
"""Minutes over which movements are compared: long enough for a slow drift, short enough for the meters' errors."""

_BACK_AT_SHARE = 0.7
"""They are believed again once they have been at most this share of the limit apart .."""
_BACK_AFTER = 10
""".. for so many minutes, in which a stuck one has moved: a moving pressure passes by a value that stands still."""
_STANDS_SHARE = 0.1
"""One that moved by less than this share of what its twin moved stands still."""
_MOVES_SHARE = 0.3
"""A movement of this share of the limit is one."""
_CLEARLY_SHARE = 0.5
"""One is told from the other by movements that differ by this share of the limit."""


@dataclass(slots=True)
class _Pair:
    """The past of a pair: (pressure A, pressure B, kilograms gained by book since the row before or None)."""

    past: deque[tuple[float, float, float | None]] = field(default_factory=lambda: deque(maxlen=_WINDOW))
    near: int = 0

    def stands_still(self, limit: float, rows: int) -> int | None:
        """Return which of the two (0 or 1) has stood still while the other moved, in so many minutes; None for none."""
        lately = list(self.past)[-rows:]
        moved = [max(said) - min(said) for said in ([a for a, _, _ in lately], [b for _, b, _ in lately])]
        if max(moved) < _MOVES_SHARE * limit or min(moved) > _STANDS_SHARE * max(moved):
            return None
        return moved.index(min(moved))

    def is_frozen(self, place: int, rows: int) -> bool:
        """Return whether one of the two has said exactly the same for all of so many minutes."""
        lately = list(self.past)[-rows:]
        return len(lately) == rows and len({row[place] for row in lately}) == 1


@dataclass(slots=True)
class TwinWatch:
    """Watches each bank's pair of transmitters, once a minute."""

    plant: Plant
    tags: CapacityTags
    _pairs: dict[str, _Pair] = field(default_factory=dict)

    def limit_mpa(self, bank: BankTags) -> float:
        """Return how far apart a pair may be [MPa]."""
        low, high = self.plant.signals[bank.pressure_a].instrument_range
        return CapacityParameters.of(self.plant.parameters).twin_limit_share * (high - low)

    def tick(self, measured: Measured, gained_kg: Sequence[float | None], at_ms: int) -> None:
        """Compare each pair and mark in `measured` what is doubted.

        Args:
            measured: Newest readings.
            gained_kg: What each bank gained since the last call, by book.
            at_ms: Station time, epoch ms.
        """
        for index, bank in enumerate(self.tags.banks):
            tags = (bank.pressure_a, bank.pressure_b)
            a, b = (measured.value(tag) if measured.is_heard(tag, at_ms) else None for tag in tags)
            if a is None or b is None:
                self._pairs.pop(bank.unit, None)
                for tag in tags:
                    measured.believe(tag)
                continue
            pair = self._pairs.setdefault(bank.unit, _Pair())
            pair.past.append((a, b, gained_kg[index]))
            self._judge(measured, bank, index, pair, at_ms)

    def _judge(self, measured: Measured, bank: BankTags, index: int, pair: _Pair, at_ms: int) -> None:
        tags = (bank.pressure_a, bank.pressure_b)
        a, b, _ = pair.past[-1]
        limit = self.limit_mpa(bank)
        doubted = any(measured.is_doubted(tag) for tag in tags)
        pair.near = pair.near + 1 if abs(a - b) <= _BACK_AT_SHARE * limit else 0
        if doubted and pair.near >= _BACK_AFTER and pair.stands_still(limit, _BACK_AFTER) is None:
            for tag in tags:
                measured.believe(tag)
            return
        if abs(a - b) <= limit:
            return
        if any(measured.is_dropped(tag) for tag in tags):
            return
        wrong = self._wrong(bank, index, pair, limit)
        for place, tag in enumerate(tags):
            if wrong is None:
                measured.doubt(tag, at_ms, APART)
            elif place == wrong:
                measured.doubt(tag, at_ms, DROPPED)
            else:
                measured.believe(tag)

    def _wrong(self, bank: BankTags, index: int, pair: _Pair, limit: float) -> int | None:
        """Return 0 or 1 for the transmitter that is wrong, None where it cannot be told."""
        a, b, _ = pair.past[-1]
        low, high = self.plant.signals[bank.pressure_a].instrument_range
        outside = [not low <= value <= high for value in (a, b)]
        if any(outside) and not all(outside):
            return outside.index(True)
        by_book, still = self._by_book(index, pair, limit), pair.stands_still(limit, _BACK_AFTER)
        if by_book is not None and still is not None and by_book != still:
            # A live transmitter is never quite still, but on a bank at rest it nearly is: then the book has to agree.
            return None if pair.is_frozen(still, _BACK_AFTER) else by_book
        if by_book is None and still is not None:
            return still if pair.is_frozen(still, _BACK_AFTER) else None
        return by_book

    def _by_book(self, index: int, pair: _Pair, limit: float) -> int | None:
        """Return the one that moved otherwise than the bank's gain by book, None where that is not clear."""
        a, b, _ = pair.past[-1]
        gains = [gain for _, _, gain in list(pair.past)[1:]]
        if not gains or None in gains:
            return None
        first_a, first_b, _ = pair.past[0]
        volume = self.plant.banks[index].volume_m3
        middle = 0.5 * (first_a + first_b)
        kg_mpa = volume * (density(middle + 0.5, 20.0) - density(middle - 0.5, 20.0))
        gained = sum(gain for gain in gains if gain is not None) / kg_mpa
        off_a, off_b = abs(a - first_a - gained), abs(b - first_b - gained)
        if abs(off_a - off_b) < _CLEARLY_SHARE * limit:
            return None
        return 0 if off_a > off_b else 1
