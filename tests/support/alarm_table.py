"""What an alarm does, written down once more as a table: an oracle that shares nothing with the engine.

It is made from DOMAIN section 5.1 and the contract alone and imports neither `station.domain.alarms` nor `api.alarms`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# (latching, state, event) -> state. States: N normal, U unacked active, A acked active, R returned unacked, K latched
# unacked, L latched acked; a small letter has not been shown yet. What is not listed is refused for operators' events,
# and changes nothing for the process's.
ORDINARY = {
    ("N", "raise"): "U",
    ("R", "raise"): "U",
    ("U", "clear"): "R",
    ("A", "clear"): "N",
    ("u", "clear"): "N",
    ("a", "clear"): "N",
    ("U", "ack"): "A",
    ("u", "ack"): "a",
    ("R", "ack"): "N",
    ("U", "worse"): "U",
    ("u", "worse"): "u",
    ("A", "worse"): "U",
    ("a", "worse"): "u",
}
LATCHING = {
    ("N", "raise"): "U",
    ("K", "raise"): "U",
    ("L", "raise"): "U",
    ("k", "raise"): "U",
    ("l", "raise"): "U",
    ("U", "clear"): "K",
    ("A", "clear"): "L",
    ("u", "clear"): "k",
    ("a", "clear"): "l",
    ("U", "ack"): "A",
    ("u", "ack"): "a",
    ("K", "ack"): "L",
    ("k", "ack"): "l",
    ("L", "reset"): "N",
    ("l", "reset"): "N",
    ("U", "worse"): "U",
    ("u", "worse"): "u",
    ("A", "worse"): "U",
    ("a", "worse"): "u",
}
NAMES = {"N": "NORM", "U": "UNACK", "A": "ACKED", "R": "RTNUN", "K": "LATCHED", "L": "LATCHED"}
OPERATOR = {"ack", "reset"}
SECOND_PERSON_S = 900
"""Within which a second user must ask for the same."""


@dataclass
class Table:
    """One alarm. Times are seconds.

    Attributes:
        state: A letter of the tables above.
        severe: The condition is a class worse than usual, now.
        escalated: Of the present occurrence: it has been so.
        occurrences: How many there have been.
        rows: What its journal must have, oldest first.
    """

    latching: bool
    safety: bool
    state: str = "N"
    severe: bool = False
    escalated: bool = False
    occurrences: int = 0
    suppressed: bool = False
    shelved_until: float | None = None
    out: bool = False
    out_until: float | None = None
    asked: str = ""
    asked_s: float = 0.0
    rows: list[str] = field(default_factory=list)

    @property
    def hidden(self) -> bool:
        """Hidden by anything."""
        return self.suppressed or self.shelved_until is not None or self.out

    @property
    def name(self) -> str:
        """The state as the contract names it."""
        shelved = self.shelved_until is not None
        for flag, name in ((self.out, "OUT_OF_SERVICE"), (self.suppressed, "SUPPRESSED"), (shelved, "SHELVED")):
            if flag:
                return name
        return NAMES[self.state.upper()]

    @property
    def own(self) -> tuple[str, bool, bool, bool]:
        """The state below what hides it: name, active, acked, latched."""
        letter = self.state.upper()
        return NAMES[letter], letter in "UA", letter in "NAL", letter in "KL"

    def do(self, event: str, who: str = "", at_s: float = 0.0, for_s: float | None = None) -> bool:
        """Take an event; returns False where an operator is refused.

        Args:
            event: `raise|clear|worse`, `suppress|reveal`, `ack|reset|shelve|unshelve|out|return`, `pass` (time passes).
            who: The operator.
            at_s: Now.
            for_s: How long it is shelved, or out of service (None: until it is put back).
        """
        if event == "pass":
            return self._pass(at_s)
        if event in {"suppress", "reveal"}:
            return self._suppress(event == "suppress")
        if event in {"shelve", "unshelve", "out", "return"}:
            return self._overlay(event, who, at_s, for_s) and self._show()
        if event == "worse" and (self.escalated or self.state.upper() not in "UA"):
            return True
        following = (LATCHING if self.latching else ORDINARY).get((self.state, event))
        if following is None:
            return event not in OPERATOR
        return self._move(event, following)

    def _move(self, event: str, following: str) -> bool:
        unseen = self.suppressed and (event == "raise" or self.state in "ua")
        if event == "raise":
            self.escalated = self.severe
            self.occurrences += 1
            following = following.lower() if self.hidden else following
        if event == "worse":
            self.escalated = True
        told = {"raise": "raised", "clear": "cleared", "ack": "acked", "reset": "reset", "worse": "escalated"}[event]
        self.rows.append(f"{told}_unseen" if unseen and event in {"raise", "clear"} else told)
        self.state = following
        return self._show()

    def _suppress(self, suppressed: bool) -> bool:
        if suppressed is self.suppressed:
            return True
        again = not suppressed and not self.latching and self.state in "ua"
        if again:
            self.do("clear")  # nobody was told: what is still there then is new
        self.suppressed = suppressed
        if self.state != "N":
            self.rows.append("suppressed" if suppressed else "unsuppressed")
        if again:
            self.do("raise")
        return self._show()

    def _pass(self, at_s: float) -> bool:
        if self.shelved_until is not None and self.shelved_until < at_s:
            self.shelved_until = None
            self.rows.append("unshelved")
        if self.out_until is not None and self.out_until < at_s:
            self.out, self.out_until = False, None
            self.rows.append("returned_to_service")
        if self.asked and at_s - self.asked_s > SECOND_PERSON_S:
            self.asked = ""
            self.rows.append("out_of_service_lapsed")
        return self._show()

    def _overlay(self, event: str, who: str, at_s: float, for_s: float | None) -> bool:
        if event == "shelve":
            allowed = not self.safety and not self.out
            if allowed and for_s is not None:
                self.shelved_until = at_s + for_s
                self.rows.append("shelved")
            return allowed
        if event == "unshelve":
            allowed, self.shelved_until = self.shelved_until is not None, None
            self.rows += ["unshelved"] * allowed
            return allowed
        if event == "return":
            allowed, self.out, self.out_until, self.asked = self.out or bool(self.asked), False, None, ""
            self.rows += ["returned_to_service"] * allowed
            return allowed
        return self._take_out(who, at_s, for_s)

    def _take_out(self, who: str, at_s: float, for_s: float | None) -> bool:
        if self.out or (self.safety and self.asked == who):
            return False
        if self.safety and not self.asked:
            self.asked, self.asked_s = who, at_s
            self.rows.append("out_of_service_asked")
            return True
        self.out, self.out_until = True, None if for_s is None else at_s + for_s
        self.shelved_until, self.asked = None, ""
        self.rows.append("out_of_service")
        return True

    def _show(self) -> bool:
        if not self.hidden and self.state != "N":
            self.state = self.state.upper()
        return True
