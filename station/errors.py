"""The project's errors: one short tree, transient and final told apart by class.

Retry or give up is decided by the class alone, once per boundary: catch `TransientError` to try again
with a back-off, `FinalError` to set the thing aside and go on.
"""

from __future__ import annotations


class JinmaError(Exception):
    """Root of every error that this project raises on purpose; its text says what, and what to do."""


class TransientError(JinmaError):
    """May succeed if tried again unchanged: a store that is away, a broker that restarts."""


class FinalError(JinmaError):
    """Will never succeed unchanged: bad input, a refused point, a wrong setting."""


class BadInputError(FinalError):
    """Input from outside that breaks a rule; the text names the field, the value and the rule."""


class PayloadError(BadInputError):
    """A message that is a dead letter. `reason` is one short word used as a metric label.

    Reasons in use: `size`, `json`, `shape`, `signal`, `value`, `time`, `station`, `unit`.
    """

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class OutOfRangeError(FinalError):
    """A property was asked outside the range that its source covers."""


class StoreUnavailableError(TransientError):
    """The reading store did not answer, or answered that it cannot now."""


class PointsRefusedError(FinalError):
    """The store refused some messages for good; the others of the batch are stored.

    Attributes:
        refused: index in the written batch -> the store's reason.
    """

    def __init__(self, refused: dict[int, str]) -> None:
        first = next(iter(refused.values()), "")
        super().__init__(f"store refused {len(refused)} message(s): {first}")
        self.refused = refused


class JournalUnavailableError(TransientError):
    """The alarm journal could not commit."""


class NoticeFailedError(TransientError):
    """A notice was not delivered.

    Attributes:
        unknown: It may have arrived all the same (no answer in time): the next try may be a duplicate.
    """

    def __init__(self, text: str, *, unknown: bool = False) -> None:
        super().__init__(text)
        self.unknown = unknown


class DataDirectoryError(FinalError):
    """The data directory is in use, newer than this program, or damaged."""
