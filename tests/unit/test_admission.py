"""The quick way in says what the careful one says; what does not fit goes by the policy."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.wire import topics
from station.wire.admission import Admission, Admitted, Policy, UnknownSignals
from station.wire.json_v1 import Refusal
from tests.support.plants import jinma

NOW_MS = 1_780_000_000_000
TOPIC = topics.reading("jinma", "storage", "bank-HB")
KNOWN = list(jinma().units["storage", "bank-HB"].tags)

value = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-3, 3)
    | st.integers()
    | st.booleans()
    | st.none()
    | st.sampled_from(["44", "NaN"])
)
body = st.fixed_dictionaries(
    {
        "t": st.integers(NOW_MS - 40 * 86_400_000, NOW_MS + 2 * 86_400_000) | st.just("noon"),
        "v": st.dictionaries(st.sampled_from([*KNOWN, "PT-999"]), value, max_size=4),
    },
    optional={
        "q": st.dictionaries(st.sampled_from(KNOWN), st.sampled_from(["good", "bad", "uncertain:drift", "so-so"])),
        "boot": st.sampled_from(["b1", "", None]),
        "seq": st.integers(-1, 5),
        "oldest": st.integers(0, 5),
        "more": st.sampled_from([1, [[[]]], {"a": {"b": {}}}]),
    },
)


def both(admission: Admission, topic: str, payload: bytes) -> tuple[Admitted, Admitted | None]:
    careful = admission.admit(topic, payload, NOW_MS)
    quick = admission.admit_plain(topic, payload, NOW_MS)
    if isinstance(quick, Refusal):
        return careful, Admitted(None, (quick,))
    return careful, None if quick is None else Admitted(quick, ())


@given(st.lists(body, min_size=1, max_size=5), st.sampled_from(["refuse", "ignore", "store"]))
def test_the_quick_way_says_what_the_careful_one_says_or_nothing(
    bodies: list[dict[str, object]], unknown: UnknownSignals
) -> None:
    admission = Admission([jinma()], policy=Policy(unknown=unknown))
    for said in bodies:
        careful, quick = both(admission, TOPIC, json.dumps(said).encode())
        assert quick in (careful, None)


@given(st.binary(max_size=200))
def test_no_bytes_are_let_in_the_quick_way_alone(payload: bytes) -> None:
    admission = Admission([jinma()])
    admission.admit(TOPIC, b'{"t":%d,"v":{"PT-330A":1}}' % NOW_MS, NOW_MS)
    careful, quick = both(admission, TOPIC, payload)
    assert quick in (careful, None)


@given(body, st.integers(0, 200), st.binary(max_size=2), st.integers(0, 3))
def test_a_damaged_message_is_judged_alike_both_ways(
    said: dict[str, object], at: int, put: bytes, dropped: int
) -> None:
    admission = Admission([jinma()])
    payload = json.dumps(said).encode()
    admission.admit(TOPIC, payload, NOW_MS)
    careful, quick = both(admission, TOPIC, payload[:at] + put + payload[at + dropped :])
    assert quick in (careful, None)


def test_an_ordinary_message_goes_the_quick_way_from_the_second_on() -> None:
    admission = Admission([jinma()])
    payload = b'{"t":%d,"boot":"b","seq":7,"v":{"PT-330A":44.12,"PT-330B":44,"ZS-330D":1}}' % NOW_MS
    assert admission.admit_plain(TOPIC, payload, NOW_MS) is None
    careful, quick = both(admission, TOPIC, payload)
    assert quick == careful
    assert careful.message is not None
    assert careful.message.values == {"PT-330A": 44.12, "PT-330B": 44.0, "ZS-330D": 1.0}


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"t":"now","v":{}}', "shape"),
        (b'{"v":{"PT-330A":1}}', "shape"),
        (b'{"t":1,"v":3}', "shape"),
        (b"\xff\xfe", "json"),
        (b'{"t":1,"v":{"PT-330A":1', "json"),
        (b"", "json"),
        (b'{"t":1,"v":{"PT-330A":1}}', "time"),
        (b'{"t":%d,"v":{"PT-330A":1},"seq":-1}' % NOW_MS, "shape"),
    ],
)
def test_a_plain_mistake_is_refused_the_quick_way(payload: bytes, reason: str) -> None:
    admission = Admission([jinma()])
    admission.admit(TOPIC, b'{"t":%d,"v":{"PT-330A":1}}' % NOW_MS, NOW_MS)
    careful, quick = both(admission, TOPIC, payload)
    assert quick == careful
    assert [refusal.reason for refusal in careful.refusals] == [reason]


@pytest.mark.parametrize(
    ("unknown", "kept", "refused"),
    [("refuse", ["PT-330A"], ["PT-999"]), ("ignore", ["PT-330A"], []), ("store", ["PT-330A", "PT-999"], [])],
)
def test_unknown_signals_go_by_the_policy(unknown: UnknownSignals, kept: list[str], refused: list[str]) -> None:
    admission = Admission([jinma()], policy=Policy(unknown=unknown))
    payload = b'{"t":%d,"v":{"PT-330A":44.12,"PT-999":1.5},"q":{"PT-999":"uncertain"}}' % NOW_MS
    admitted = admission.admit(TOPIC, payload, NOW_MS)
    assert admitted.message is not None
    assert list(admitted.message.values) == kept
    assert set(admitted.message.quality) <= set(kept)
    assert [refusal.signal for refusal in admitted.refusals] == refused


def test_a_message_of_unknown_signals_alone_is_refused_where_they_are_ignored() -> None:
    admitted = Admission([jinma()], policy=Policy(unknown="ignore")).admit(
        TOPIC, b'{"t":%d,"v":{"PT-999":1}}' % NOW_MS, NOW_MS
    )
    assert admitted.message is None
    assert [refusal.reason for refusal in admitted.refusals] == ["signal"]


@pytest.mark.parametrize(("hours", "taken"), [(-3, False), (-1, True), (0.4, True), (0.6, False)])
def test_too_old_and_too_new_go_by_the_policy(hours: float, taken: bool) -> None:
    admission = Admission([jinma()], policy=Policy(dt.timedelta(hours=2), dt.timedelta(minutes=30)))
    payload = b'{"t":%d,"v":{"PT-330A":1}}' % (NOW_MS + int(hours * 3_600_000))
    careful, quick = both(admission, TOPIC, payload)
    assert (careful.message is not None) is taken
    assert quick in (careful, None)
    if not taken:
        assert careful.refusals[0].reason == "time"
        assert "must be within -2 h and +0.5 h" in careful.refusals[0].text
