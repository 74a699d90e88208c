"""The codec: both ways, and each way of being wrong."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.domain.signals import UnitMessage
from station.errors import PayloadError
from station.wire import json_v1
from station.wire.json_v1 import decode, encode

names = st.text(min_size=1, max_size=20).filter(lambda s: not any(0xD800 <= ord(c) <= 0xDFFF for c in s))
finite = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)
qualities = st.sampled_from(["uncertain", "bad", "uncertain:drift", "bad:null", "bad:传感器"])


@st.composite
def messages(draw: st.DrawFn) -> UnitMessage:
    values = draw(st.dictionaries(names, finite | st.none(), min_size=1, max_size=12))
    quality = draw(st.dictionaries(st.sampled_from(sorted(values)), qualities, max_size=4))
    return UnitMessage(
        "jinma",
        "storage",
        "bank-HB",
        draw(st.integers(0, 2**52)),
        values,
        quality,
        draw(st.none() | names),
        draw(st.none() | st.integers(0, 2**53)),
        draw(st.none() | st.integers(0, 2**53)),
    )


@given(messages())
def test_what_is_encoded_is_decoded_the_same(message: UnitMessage) -> None:
    said = decode(encode(message))
    assert said.refusals == ()
    assert (said.t_ms, said.values, said.quality) == (message.t_ms, message.values, message.quality)
    assert (said.boot, said.seq, said.oldest) == (message.boot, message.seq, message.oldest)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_a_payload_error(payload: bytes) -> None:
    try:
        said = decode(payload)
    except PayloadError:
        return
    assert all(v is None or math.isfinite(v) for v in said.values.values())


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.fixed_dictionaries({"t": st.integers(0, 10), "v": st.dictionaries(names, json_values, max_size=4)}))
def test_a_wrong_value_takes_no_neighbour_along(body: dict[str, dict[str, object]]) -> None:
    good = {
        signal: value
        for signal, value in body["v"].items()
        if value is None or (isinstance(value, bool | int | float) and abs(float(value)) <= 1.7e308)
    }
    try:
        said = decode(json.dumps(body).encode())
    except PayloadError:
        assert not body["v"] or any(isinstance(v, dict | list) for v in body["v"].values())
        return
    assert said.values == pytest.approx(good)
    assert {r.signal for r in said.refusals} == set(body["v"]) - set(good)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "json"),
        (b"\xff\xfe", "json"),
        (b"[1]", "shape"),
        (b'{"v":{"a":1}}', "shape"),
        (b'{"t":1}', "shape"),
        (b'{"t":1.5,"v":{"a":1}}', "shape"),
        (b'{"t":"1","v":{"a":1}}', "shape"),
        (b'{"t":1,"v":{}}', "shape"),
        (b'{"t":1,"v":[1]}', "shape"),
        (b'{"t":1,"v":{"a":1},"seq":-1}', "shape"),
        (b'{"t":1,"v":{"a":1},"boot":7}', "shape"),
        (b'{"t":1,"v":{"a":1},"x":' + b"[" * 17 + b"]" * 17 + b"}", "json"),
        (b'{"t":1,"v":{"a":1},"x":"' + b"y" * 65536 + b'"}', "size"),
        (json.dumps({"t": 1, "v": {f"s{n}": 1 for n in range(257)}}).encode(), "shape"),
    ],
)
def test_an_unusable_payload_says_why(payload: bytes, reason: str) -> None:
    with pytest.raises(PayloadError) as caught:
        decode(payload)
    assert caught.value.reason == reason


def test_nan_and_infinity_are_refused_alone() -> None:
    said = decode(b'{"t":1,"v":{"a":NaN,"b":2,"c":-Infinity,"d":1e999}}')
    assert said.values == {"b": 2.0}
    assert {r.signal for r in said.refusals} == {"a", "c", "d"}
    assert "finite" in said.refusals[0].text


def test_a_quality_that_cannot_be_read_does_not_pass_as_good() -> None:
    said = decode(b'{"t":1,"v":{"a":1,"b":2,"c":3},"q":{"a":"fine","b":"bad:x","c":"good"}}')
    assert said.values == {"b": 2.0, "c": 3.0}
    assert said.quality == {"b": "bad:x"}
    assert [r.signal for r in said.refusals] == ["a"]


def test_unknown_fields_are_ignored_and_brackets_in_text_do_not_count_as_depth() -> None:
    deep = json.dumps("[{" * 40)
    assert decode(f'{{"t":1,"v":{{"a":1}},"note":{deep}}}'.encode()).values == {"a": 1.0}


def test_encode_refuses_what_json_cannot_say() -> None:
    for value in (math.nan, math.inf):
        with pytest.raises(PayloadError):
            encode(UnitMessage("s", "storage", "u", 1, {"a": value}))
    with pytest.raises(PayloadError):
        encode(UnitMessage("s", "storage", "u", 1, {}))


def test_the_topic_is_the_units() -> None:
    assert json_v1.topic_of(UnitMessage("s", "storage", "u", 1, {"a": 1.0})) == "h2/v1/s/storage/u"
