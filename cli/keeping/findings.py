"""What the doctor finds: one line each, saying what, why, and what mends it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from station.errors import JinmaError

State = Literal["ok", "note", "fault"]
"""`note`: works, and somebody should know; `fault`: does not work, or will not for long."""
_SIGNS: Final = {"ok": "ok   ", "note": "note ", "fault": "FAULT"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        about: What: `broker`, `readings`, ..
        state: How it is.
        says: What was found, and why it matters.
        do: What mends it; empty where nothing is to be done, or where it was mended.
        mended: It was a fault, and was mended now.
        figures: Numbers of it, for programs.
    """

    about: str
    state: State
    says: str
    do: str = ""
    mended: bool = False
    figures: dict[str, float | int | str | None] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        """Yield how it is printed."""
        yield f"{_SIGNS[self.state]}  {self.about:<15} {self.says}{'  (mended now)' if self.mended else ''}"
        if self.do:
            yield f"{'':24}do: {self.do}"

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        return dataclasses.asdict(self)


Check = Callable[[], Iterable[Finding]]


def looked_at(about: str, check: Check) -> list[Finding]:
    """Return what a check finds; one that cannot be made is itself a fault."""
    try:
        return list(check())
    except JinmaError as error:
        what, _, do = str(error).partition(": set ")
        return [Finding(about, "fault", what, f"set {do}" if do else "see that it runs and can be reached, then again")]
    except OSError as error:
        return [
            Finding(about, "fault", f"{error.filename or ''} {error.strerror or error}".strip(), "look at that file")
        ]


def megabytes(size: float) -> str:
    """Return a size as people say it."""
    return f"{size / 1e9:,.2f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"
