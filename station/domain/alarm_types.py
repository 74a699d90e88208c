"""Alarm types of a station file: how limits of a kind of signal are judged and worded, and the alarms made of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from string import Formatter

from station.domain.plant import AlarmSpec, Text
from station.domain.toml_reader import TomlTable, nearest

PRIORITIES = ("critical", "high", "medium", "low")
LIMITS = ("LL", "L", "H", "HH")
BEHAVIOURS = ("ROC", "DEV", "STUCK", "SPIKE", "DROPOUT")
CONDITIONS = (*LIMITS, *BEHAVIOURS, "STATE", "STALE", "BAD")
HELP_OF = {
    "LL": "low", "L": "low", "H": "high", "HH": "high", "ROC": "fast", "DEV": "sensor", "STUCK": "sensor",
    "SPIKE": "sensor", "DROPOUT": "sensor", "STATE": "state", "STALE": "stale", "BAD": "bad",
}  # fmt: skip
"""Condition -> the help texts that it takes."""

_PLACEHOLDERS = ("name", "limit", "unit", "states")
_SHOWN_UNIT = {
    "degC": Text("°C", "°C"),
    "-": Text("", ""),
    "enum": Text("", ""),
    "umol/mol": Text("µmol/mol", "µmol/mol"),
}
_NO_TEXT = Text("", "")


@dataclass(frozen=True, slots=True)
class Rule:
    """How one condition is judged; None: as the type that this one is like.

    Attributes:
        on, off: Delays.
        limit: Of a behaviour: number and whether it is percent of span, else in the signal's unit (ROC: per minute).
        over: Of a behaviour: the time looked back over; of STUCK and SPIKE at least so many sampling periods.
        times: Of DROPOUT: how often within that.
        to: Of DEV: role of the redundant transmitter of the same unit that it is compared with.
        watched: False takes a condition away that the base type has.
    """

    on: dt.timedelta | None = None
    off: dt.timedelta | None = None
    priority: str | None = None
    latched: bool | None = None
    safety: bool | None = None
    limit: tuple[float, bool] | None = None
    over: dt.timedelta | None = None
    times: int | None = None
    to: str | None = None
    watched: bool | None = None

    def laid_over(self, base: Rule) -> Rule:
        """Return this rule with what it does not say taken from `base`."""
        return Rule(
            base.on if self.on is None else self.on,
            base.off if self.off is None else self.off,
            base.priority if self.priority is None else self.priority,
            base.latched if self.latched is None else self.latched,
            base.safety if self.safety is None else self.safety,
            base.limit if self.limit is None else self.limit,
            base.over if self.over is None else self.over,
            base.times if self.times is None else self.times,
            base.to if self.to is None else self.to,
            base.watched if self.watched is None else self.watched,
        )


@dataclass(frozen=True, slots=True)
class AlarmType:
    """One alarm type with everything that it is like already taken over.

    Attributes:
        deadband: Number and whether it is percent of span (else absolute).
        rules: Condition -> rule.
        headlines: Condition -> one-line text.
        help: `low|high|state|stale|bad` -> (cause, consequence, action).
        states: Abnormal state's English name -> priority.
    """

    name: str
    deadband: tuple[float, bool] | None = None
    rules: Mapping[str, Rule] = field(default_factory=dict)
    headlines: Mapping[str, Text] = field(default_factory=dict)
    help: Mapping[str, tuple[Text, Text, Text]] = field(default_factory=dict)
    states: Mapping[str, str] = field(default_factory=dict)

    def over(self, base: AlarmType) -> AlarmType:
        """Return this type with what it does not say taken from `base`."""
        rules = dict(base.rules)
        for condition, rule in self.rules.items():
            rules[condition] = rule.laid_over(rules.get(condition, Rule()))
        return replace(
            self,
            deadband=self.deadband or base.deadband,
            rules=rules,
            headlines={**base.headlines, **self.headlines},
            help={side: _help_over(self.help.get(side), base.help.get(side)) for side in {*base.help, *self.help}},
            states={**base.states, **self.states},
        )

    def lacks(self, condition: str) -> str | None:
        """Return what an alarm of `condition` would need that this type does not say, None where it says all."""
        rule = self.rules.get(condition, Rule())
        if rule.on is None or rule.off is None or rule.priority is None:
            return f"{condition} needs on, off and priority"
        if condition in BEHAVIOURS and (wanted := _lacks_behaviour(condition, rule)):
            return f"{condition} needs {wanted}"
        if condition not in self.headlines:
            return f"text.{condition} is missing"
        if any(text == _NO_TEXT for text in self.help.get(HELP_OF[condition], (_NO_TEXT,))):
            return f"{HELP_OF[condition]} needs cause, consequence and action"
        return "deadband_percent or deadband is missing" if self.deadband is None else None

    def watches(self, condition: str) -> bool:
        """Return whether signals of this type are watched for a behaviour."""
        rule = self.rules.get(condition)
        return rule is not None and rule.watched is not False

    def deadband_for(self, instrument_range: tuple[float, float]) -> float:
        """Return the dead-band in the signal's unit; percent is of the instrument range."""
        number, is_percent = self.deadband or (0.0, False)
        low, high = instrument_range
        return number / 100.0 * (high - low) if is_percent else number


def _lacks_behaviour(condition: str, rule: Rule) -> str | None:
    """Return what a behaviour's rule does not say."""
    if condition in {"ROC", "DEV", "SPIKE"} and rule.limit is None:
        return "limit or limit_percent"
    if condition == "DEV":
        return None if rule.to else "to"
    if not rule.over:
        return "over"
    return "times" if condition == "DROPOUT" and not rule.times else None


def limit_for(rule: Rule, instrument_range: tuple[float, float]) -> float | None:
    """Return a behaviour's limit in the signal's unit; percent is of the instrument range."""
    if rule.limit is None:
        return None
    number, is_percent = rule.limit
    low, high = instrument_range
    return round(number / 100.0 * (high - low), 6) if is_percent else number


def _help_over(own: tuple[Text, Text, Text] | None, base: tuple[Text, Text, Text] | None) -> tuple[Text, Text, Text]:
    if own is None or base is None:
        return own or base or (_NO_TEXT, _NO_TEXT, _NO_TEXT)
    cause, consequence, action = (mine if mine != _NO_TEXT else theirs for mine, theirs in zip(own, base, strict=True))
    return cause, consequence, action


@dataclass(frozen=True, slots=True)
class Wording:
    """What fills the placeholders of a signal's alarm texts."""

    name: Text
    unit: str
    states: Text = _NO_TEXT

    def fill(self, template: Text, limit: float | None = None) -> Text:
        """Return a text in both languages, beginning with a capital."""
        if "{" not in template.en and "{" not in template.zh:
            return template
        return Text(self._fill("en", template.en, limit), self._fill("zh", template.zh, limit))

    def _fill(self, language: str, template: str, limit: float | None) -> str:
        if "{" not in template:
            return template
        text = template.format(
            name=self.name.in_language(language),
            limit="" if limit is None else f"{limit:g}",
            unit=_SHOWN_UNIT.get(self.unit, Text(self.unit, self.unit)).in_language(language),
            states=self.states.in_language(language),
        ).rstrip()
        return text[:1].upper() + text[1:]


def make_alarm(kind: AlarmType, condition: str, wording: Wording, *, limit: float | None, deadband: float) -> AlarmSpec:
    """Return one alarm of a type; `kind.lacks(condition)` must be None.

    Args:
        kind: Alarm type.
        condition: One of `CONDITIONS`.
        wording: The signal's words.
        limit: Threshold in the signal's unit, None where the condition has none.
        deadband: In the signal's unit.
    """
    rule = kind.rules[condition]
    cause, consequence, action = (wording.fill(text, limit) for text in kind.help[HELP_OF[condition]])
    return AlarmSpec(
        condition=condition,
        limit=limit,
        deadband=deadband,
        on_delay=rule.on or dt.timedelta(),
        off_delay=rule.off or dt.timedelta(),
        priority=rule.priority or PRIORITIES[-1],
        latched=bool(rule.latched),
        safety=bool(rule.safety),
        text=wording.fill(kind.headlines[condition], limit),
        cause=cause,
        consequence=consequence,
        action=action,
        over=rule.over or dt.timedelta(),
        times=rule.times or 0,
    )


def read_text(table: TomlTable, key: str, *, required: bool = True, placeholders: tuple[str, ...] = ()) -> Text:
    """Return a `{en=.., zh=..}` of a table; unknown placeholders are mistakes."""
    if not required and not table.has(key):
        return _NO_TEXT
    pair = table.table(key)
    text = Text(*(_read_template(pair, language, placeholders) for language in ("en", "zh")))
    pair.finish()
    return text


def _read_template(pair: TomlTable, language: str, known: tuple[str, ...]) -> str:
    """Return a text all of whose placeholders can be filled."""
    template = pair.text(language)
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        pair.wrong(f"{language}: {error}", language)
        return ""
    strange = [name for _, name, spec, turn in parts if name is not None and (name not in known or spec or turn)]
    for name in strange:
        pair.wrong(f"{language}: {{{name}}} is no placeholder{nearest(name, known)}", language)
    return "" if strange else template


def read_alarm_types(root: TomlTable) -> dict[str, AlarmType]:
    """Return the alarm types of a station file, `like` resolved."""
    own: dict[str, AlarmType] = {}
    like: dict[str, tuple[str, TomlTable]] = {}
    for name, table in root.table("alarm_types").each_table("alarm type"):
        like[name] = (table.text("like", default=""), table)
        own[name] = _read_type(name, table)
    return {name: _resolved(name, own, like) for name in own}


def _resolved(name: str, own: Mapping[str, AlarmType], like: Mapping[str, tuple[str, TomlTable]]) -> AlarmType:
    """Return a type laid over the chain of those that it is like."""
    kind, seen = own[name], {name}
    base, table = like[name]
    while base:
        if base not in own:
            table.wrong(f"like {base!r} is no alarm type{nearest(base, own)}", "like")
            break
        if base in seen:
            table.wrong(f"like {base!r} leads back to itself", "like")
            break
        kind = kind.over(own[base])
        seen.add(base)
        base, table = like[base]
    return kind


def _read_type(name: str, table: TomlTable) -> AlarmType:
    texts = table.table("text", required=False)
    headlines = {
        condition: read_text(texts, condition, placeholders=_PLACEHOLDERS)
        for condition in CONDITIONS
        if texts.has(condition)
    }
    texts.finish()
    kind = AlarmType(
        name,
        _read_deadband(table),
        {condition: _read_rule(table.table(condition)) for condition in CONDITIONS if table.has(condition)},
        headlines,
        {side: _read_help(table.table(side)) for side in sorted(set(HELP_OF.values())) if table.has(side)},
        _read_states(table.table("states", required=False)),
    )
    table.finish()
    return kind


def _read_deadband(table: TomlTable) -> tuple[float, bool] | None:
    if table.has("deadband"):
        if table.has("deadband_percent"):
            table.wrong("deadband and deadband_percent exclude each other", "deadband")
        return table.number("deadband", at_least=0), False
    return (table.number("deadband_percent", at_least=0, at_most=50), True) if table.has("deadband_percent") else None


def _read_rule(table: TomlTable) -> Rule:
    rule = Rule(
        table.duration("on") if table.has("on") else None,
        table.duration("off") if table.has("off") else None,
        table.word("priority", PRIORITIES) if table.has("priority") else None,
        table.flag("latched") if table.has("latched") else None,
        table.flag("safety") if table.has("safety") else None,
        _read_limit(table),
        table.duration("over") if table.has("over") else None,
        round(table.number("times", at_least=2, at_most=100)) if table.has("times") else None,
        table.text("to") if table.has("to") else None,
        table.flag("watched") if table.has("watched") else None,
    )
    table.finish()
    return rule


def _read_limit(table: TomlTable) -> tuple[float, bool] | None:
    if table.has("limit"):
        if table.has("limit_percent"):
            table.wrong("limit and limit_percent exclude each other", "limit")
        return table.number("limit", above=0), False
    return (table.number("limit_percent", above=0, at_most=100), True) if table.has("limit_percent") else None


def _read_help(table: TomlTable) -> tuple[Text, Text, Text]:
    cause, consequence, action = (
        read_text(table, key, required=False, placeholders=_PLACEHOLDERS) for key in ("cause", "consequence", "action")
    )
    table.finish()
    return cause, consequence, action


def _read_states(table: TomlTable) -> dict[str, str]:
    return {state: table.word(state, PRIORITIES) for state in table.data}


def read_own_alarms(root: TomlTable, section: str) -> dict[str, AlarmSpec]:
    """Return the alarms that are about no signal: sections `capacity_alarms`, `system_alarms`."""
    found = {}
    for name, table in root.table(section, required=False).each_table("alarm"):
        limit = table.number_or_none("limit")
        deadband = table.number("deadband", at_least=0) if table.has("deadband") else 0.0
        words = [read_text(table, key) for key in ("text", "cause", "consequence", "action")]
        found[name] = AlarmSpec(
            name,
            limit,
            deadband,
            table.duration("on"),
            table.duration("off"),
            table.word("priority", PRIORITIES),
            latched=False,
            safety=False,
            text=words[0],
            cause=words[1],
            consequence=words[2],
            action=words[3],
        )
        table.finish()
    return found
