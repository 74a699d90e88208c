"""Version 1 of the payload: JSON bytes to a `UnitMessage` and back (contract section 3).

Strict where a mistake could become a number (types, NaN, Infinity, size, depth), lenient where the contract is: unknown
fields are ignored. One bad value does not take its neighbours along: it is named in `Decoded.refusals`.
"""

from __future__ import annotations

import json
import math
import re
from typing import Annotated, Final

import msgspec

from station.domain.signals import GOOD, UnitMessage
from station.errors import PayloadError
from station.wire import topics

MAX_BYTES: Final = 64 * 1024
MAX_SIGNALS: Final = 256
MAX_DEPTH: Final = 16
"""The contract's message is two deep; unknown fields may nest a little, never enough to hurt a parser."""

_FINITE = msgspec.Meta(ge=-1.7e308, le=1.7e308)
_NAME = msgspec.Meta(min_length=1, max_length=64)
_COUNT = msgspec.Meta(ge=0, le=2**53)
"""Sequence numbers: whole in every language's JSON, and in a database's integer."""
_QUALITY = re.compile(r"(?:uncertain|bad)(?::[^\x00-\x1f\x7f]{1,64})?")
_BESIDE_THE_FRAME: Final = ("`$.v[", "`$.q")
"""Where msgspec says that a plain payload has a mistake, if others of its values may be good."""
_SHALLOW_OPENERS = 8
"""A payload with no more brackets than this cannot be too deep; nearly all have three."""


class _Payload(msgspec.Struct):
    t: int
    v: dict[str, Annotated[float, _FINITE] | bool | None]
    q: dict[str, str] = {}
    boot: Annotated[str, _NAME] | None = None
    seq: Annotated[int, _COUNT] | None = None
    oldest: Annotated[int, _COUNT] | None = None


class PlainPayload(msgspec.Struct, gc=False):
    """A payload as nearly all are: finite numbers, all of them good."""

    t: int
    v: dict[str, Annotated[float, _FINITE]]
    q: msgspec.UnsetType = msgspec.UNSET
    boot: Annotated[str, _NAME] | None = None
    seq: Annotated[int, _COUNT] | None = None
    oldest: Annotated[int, _COUNT] | None = None


class _Loose(msgspec.Struct):
    """The same with any values, to find which of them are wrong."""

    t: int
    v: dict[str, msgspec.Raw]
    q: dict[str, msgspec.Raw] = {}
    boot: Annotated[str, _NAME] | None = None
    seq: Annotated[int, _COUNT] | None = None
    oldest: Annotated[int, _COUNT] | None = None


_strict = msgspec.json.Decoder(_Payload)
_plain = msgspec.json.Decoder(PlainPayload)
_loose = msgspec.json.Decoder(_Loose)
_value = msgspec.json.Decoder(Annotated[float, _FINITE] | bool | None)
_text = msgspec.json.Decoder(str)
_encoder = msgspec.json.Encoder()


class Refusal(msgspec.Struct, frozen=True):
    """Why a message, or one value of it, was not taken.

    Attributes:
        reason: One word, used as a metric label (see `PayloadError`).
        text: Field, value and rule.
        signal: The signal concerned; None where the whole message is refused.
    """

    reason: str
    text: str
    signal: str | None = None


class Decoded(msgspec.Struct, frozen=True):
    """A message as the device meant it. Bools are still bools: only the plant knows which signals may be."""

    t_ms: int
    values: dict[str, float | bool | None]
    quality: dict[str, str]
    boot: str | None
    seq: int | None
    oldest: int | None
    refusals: tuple[Refusal, ...]


def decode(payload: bytes) -> Decoded:
    """Return what a payload says.

    Raises:
        PayloadError: The whole message is unusable: `size`, `json` (not JSON, too deep) or `shape` (a field is missing
            or of the wrong type).
    """
    if len(payload) > MAX_BYTES:
        raise PayloadError("size", f"payload of {len(payload)} bytes: at most {MAX_BYTES} are taken")
    if payload.count(b"[") + payload.count(b"{") > _SHALLOW_OPENERS:
        _refuse_depth(payload)
    try:
        said = _strict.decode(payload)
    except (msgspec.ValidationError, UnicodeDecodeError):
        return _decode_loosely(payload)
    except msgspec.DecodeError as error:
        if _has_constants(payload):
            return _decode_loosely(_with_constants_quoted(payload, error))
        raise PayloadError("json", _no_json(error)) from error
    refusals: list[Refusal] = []
    values = said.v
    if said.q:
        _check_quality(said.q, values, refusals)
    _refuse_count(len(values) + len(refusals))
    return Decoded(said.t, values, said.q, said.boot, said.seq, said.oldest, tuple(refusals))


def decode_plain(payload: bytes) -> PlainPayload | Refusal | None:
    """Return what a payload says if it is a plain one (see `PlainPayload`), None where `decode` must look closer.

    Of a mistake that leaves nothing to be looked for, the refusal is returned.
    """
    if len(payload) > MAX_BYTES or b"[" in payload or payload.count(b"{") > _SHALLOW_OPENERS:
        return None
    try:
        said = _plain.decode(payload)
    except msgspec.ValidationError as error:
        text = str(error)
        return None if any(place in text for place in _BESIDE_THE_FRAME) else Refusal("shape", _shapeless(text))
    except UnicodeDecodeError:
        return None
    except msgspec.DecodeError as error:
        return None if _has_constants(payload) else Refusal("json", _no_json(error))
    return said if 0 < len(said.v) <= MAX_SIGNALS else None


def _shapeless(text: str) -> str:
    return f"payload breaks the message's shape: {text}"


def _no_json(error: Exception) -> str:
    return f"payload is not JSON: {error}"


def _has_constants(payload: bytes) -> bool:
    return b"NaN" in payload or b"Infinity" in payload


def _with_constants_quoted(payload: bytes, error: msgspec.DecodeError) -> bytes:
    """Return JSON in which NaN and Infinity, which are not JSON, stand as strings: refused alone, not with the rest."""
    try:
        return json.dumps(json.loads(payload, parse_constant=str, parse_float=_finite_or_text)).encode()
    except (ValueError, RecursionError):
        raise PayloadError("json", _no_json(error)) from error


def _finite_or_text(said: str) -> float | str:
    number = float(said)
    return number if math.isfinite(number) else said


def _refuse_count(count: int) -> None:
    if not 1 <= count <= MAX_SIGNALS:
        raise PayloadError("shape", f"field v holds {count} signals: 1 to {MAX_SIGNALS} are taken")


def _refuse_depth(payload: bytes) -> None:
    depth = deepest = 0
    in_string = escaped = False
    for byte in payload:
        if in_string:
            in_string = escaped or byte != 0x22
            escaped = byte == 0x5C and not escaped
        elif byte == 0x22:
            in_string, escaped = True, False
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    if deepest > MAX_DEPTH:
        raise PayloadError("json", f"payload nests {deepest} deep: at most {MAX_DEPTH} is taken")


def _decode_loosely(payload: bytes) -> Decoded:
    try:
        said = _loose.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PayloadError("shape", _shapeless(str(error))) from error
    _refuse_count(len(said.v))
    refusals: list[Refusal] = []
    values: dict[str, float | bool | None] = {}
    for signal, raw in said.v.items():
        try:
            values[signal] = _value.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            shown = bytes(raw)[:40].decode("utf-8", "replace")
            text = f"v.{signal} = {shown}: must be a finite number, true, false or null"
            refusals.append(Refusal("value", text, signal))
    quality: dict[str, str] = {}
    for signal, raw in said.q.items():
        try:
            quality[signal] = _text.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            quality[signal] = bytes(raw)[:40].decode("utf-8", "replace")
    _check_quality(quality, values, refusals)
    return Decoded(said.t, values, quality, said.boot, said.seq, said.oldest, tuple(refusals))


def _check_quality(quality: dict[str, str], values: dict[str, float | bool | None], refusals: list[Refusal]) -> None:
    """Drop `good` entries; refuse a value whose quality cannot be read, for it may not pass as good."""
    for signal, said in list(quality.items()):
        if signal in values and _QUALITY.fullmatch(said):
            continue
        del quality[signal]
        if said == GOOD or signal not in values:
            continue
        del values[signal]
        text = f"q.{signal} = {said[:40]!r}: must be uncertain or bad, with :reason or without"
        refusals.append(Refusal("value", text, signal))


def encode(message: UnitMessage) -> bytes:
    """Return the payload of a message; `decode` gives it back.

    Raises:
        PayloadError: A value is NaN or infinite, or the count of signals is not 1..256.
    """
    _refuse_count(len(message.values))
    body: dict[str, object] = {"t": message.t_ms}
    for name in ("boot", "seq", "oldest"):
        value = getattr(message, name)
        if value is not None:
            body[name] = value
    for signal, value in message.values.items():
        if value is not None and value - value != 0.0:
            raise PayloadError("value", f"v.{signal} = {value}: must be finite")
    body["v"] = message.values
    if message.quality:
        body["q"] = message.quality
    return _encoder.encode(body)


def topic_of(message: UnitMessage) -> str:
    """Return the topic that a message is published on."""
    return topics.reading(message.station, message.area, message.unit)
