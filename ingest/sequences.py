"""What `boot` and `seq` tell of one unit: which messages are missing, came twice, or came late."""

from __future__ import annotations

from typing import Final

import msgspec

_GAPS_KEPT: Final = 64
"""Open gaps a unit: beyond it the oldest counts as lost for good, so that no device can make the memory grow."""
_BOOTS_KEPT: Final = 4
"""A restarted gateway may still send what it kept from the runs before."""


class Gap(msgspec.Struct):
    """Messages `first`..`last` did not come; the ones beside them carry the times `from_ms` and `to_ms`."""

    first: int
    last: int
    from_ms: int
    to_ms: int

    @property
    def missing(self) -> int:
        """How many messages it is."""
        return self.last - self.first + 1


class Run(msgspec.Struct):
    """One boot of one unit: everything in lowest..highest came, but for the gaps."""

    boot: str
    lowest: int
    highest: int
    gaps: list[Gap]

    @property
    def settled(self) -> int:
        """All up to this came, or is known to be lost."""
        return self.gaps[0].first - 1 if self.gaps else self.highest


class Verdict(msgspec.Struct):
    """What one message says.

    Attributes:
        late: It is older than what the unit sent before, by time.
        duplicate: The same message came before.
        opened: A gap that it showed.
        filled: The gap that it closed a part of, as it stood before.
    """

    late: bool
    duplicate: bool = False
    opened: Gap | None = None
    filled: Gap | None = None


class UnitSequence(msgspec.Struct):
    """The state of one unit; a Struct, for it is kept on disk between runs."""

    newest_ms: int = 0
    runs: list[Run] = msgspec.field(default_factory=list)
    """The run heard last stands last."""

    def observe(self, t_ms: int, boot: str | None, seq: int | None, oldest: int | None) -> Verdict | None:
        """Take a message in the order of arrival; return None where all is as it should be, nearly always.

        Args:
            t_ms: Its source time.
            boot: Identity of the device's run, None for a plain device, of which only lateness can be told.
            seq: Its number.
            oldest: The lowest number that the publisher still holds: gaps below it will never close.
        """
        before = self.newest_ms
        late = t_ms < before
        if not late:
            self.newest_ms = t_ms
        if boot is None or seq is None:
            return Verdict(late=True) if late else None
        run = self.runs[-1] if self.runs and self.runs[-1].boot == boot else self._run(boot, seq)
        if seq == run.highest + 1 and not late:
            run.highest = seq
            verdict = None
        else:
            verdict = _take(run, seq, Verdict(late=late), (before or t_ms, t_ms))
        if oldest is not None:
            _give_up_below(run, oldest)
        return verdict

    def _run(self, boot: str, seq: int) -> Run:
        for index in range(len(self.runs) - 1, -1, -1):
            if self.runs[index].boot == boot:
                if index != len(self.runs) - 1:
                    self.runs.append(self.runs.pop(index))
                return self.runs[-1]
        # What a run sent before its first message here is not known, so it is not held against it.
        self.runs.append(Run(boot, seq, seq - 1, []))
        del self.runs[:-_BOOTS_KEPT]
        return self.runs[-1]

    @property
    def watermark(self) -> tuple[str, int] | None:
        """(boot, seq) up to which all is settled, of the run heard last; None for a plain device."""
        return (self.runs[-1].boot, self.runs[-1].settled) if self.runs else None


def _take(run: Run, seq: int, verdict: Verdict, span: tuple[int, int]) -> Verdict:
    if seq == run.highest + 1:
        run.highest = seq
    elif seq > run.highest:
        verdict.opened = Gap(run.highest + 1, seq - 1, *span)
        run.gaps.append(verdict.opened)
        run.highest = seq
        del run.gaps[:-_GAPS_KEPT]
    elif seq < run.lowest:
        if seq + 1 < run.lowest:
            verdict.opened = Gap(seq + 1, run.lowest - 1, span[1], span[1])
            run.gaps.insert(0, verdict.opened)
        run.lowest = seq
    else:
        verdict.filled = _fill(run, seq)
        verdict.duplicate = verdict.filled is None
    return verdict


def _fill(run: Run, seq: int) -> Gap | None:
    """Take one number out of the gap that holds it; return the gap as it was, None where all of it was there."""
    for index, gap in enumerate(run.gaps):
        if gap.first <= seq <= gap.last:
            rest = [Gap(gap.first, seq - 1, gap.from_ms, gap.to_ms), Gap(seq + 1, gap.last, gap.from_ms, gap.to_ms)]
            run.gaps[index : index + 1] = [part for part in rest if part.missing > 0]
            return gap
    return None


def _give_up_below(run: Run, oldest: int) -> None:
    for gap in run.gaps:
        gap.first = max(gap.first, oldest)
    run.gaps = [gap for gap in run.gaps if gap.missing > 0]
