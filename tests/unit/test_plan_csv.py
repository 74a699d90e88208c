"""A day's plan as CSV: every spelling that offices export, each mistake with its line, back and forth."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.domain.day_plan import Booking, DayPlan, Delivery
from station.wire.plan_csv import parse_plan_csv, plan_as_csv
from station.wire.plan_v1 import PlanError

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = dt.date(2026, 6, 1)
START = 1780243200000  # 2026-06-01T00:00+08:00
HOUR = 3_600_000
BAYS = ("bay-1", "bay-2")

WANTED = DayPlan(
    DAY,
    (Booking("豫A12345", START + 8 * HOUR + 600_000, 40.0),),
    (Delivery("T-07", START + 9 * HOUR + 1_800_000, 278.0, "bay-2"),),
    "put",
)
PLAIN = "truck,豫A12345,08:10,40,\ntrailer,T-07,09:30,278,bay-2\n"
SAME = {
    "plain": PLAIN,
    "heading": "kind,id,time,kg,bay\n" + PLAIN,
    "other order": "id,kg,kind,bay,time\n豫A12345,40,truck,,8:10\nT-07,278,trailer,bay-2,9:30:00\n",
    "semicolons and blanks": "truck ; 豫A12345 ; 08:10 ; 40 ;\n\n# the first delivery\nTrailer;T-07;09:30;278;bay-2",
    "tabs": PLAIN.replace(",", "\t"),
    "quotes": '"truck","豫A12345","08:10","40",""\n"trailer","T-07","09:30","278","bay-2"\n',
    "chinese": "类型,车牌号,预约时间,加注量,卸气位\n车辆,豫A12345,08:10,40,\n长管拖车,T-07,09:30,278,bay-2\n",
    "local times": "truck,豫A12345,2026-06-01 08:10,40,\ntrailer,T-07,2026/06/01 09:30:00,278,bay-2\n",
    "zoned times": "truck,豫A12345,2026-06-01T00:10:00Z,40,\ntrailer,T-07,2026-06-01T09:30+08:00,278,bay-2\n",
    "epoch ms": f"truck,豫A12345,{START + 8 * HOUR + 600_000},40\ntrailer,T-07,{START + 19 * HOUR // 2},278,bay-2\n",
    "windows": PLAIN.replace("\n", "\r\n"),
}


@pytest.mark.parametrize("text", SAME.values(), ids=SAME.keys())
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_one_plan_in_many_spellings(text: str, encoding: str) -> None:
    assert parse_plan_csv(text.encode(encoding), DAY, SHANGHAI, "put", BAYS) == WANTED


def test_each_mistake_is_named_with_its_line_and_nothing_is_taken() -> None:
    text = (
        "kind,id,time,kg,bay\n"
        "truck,A,08:10,forty,\n"
        "lorry,B,08:20,40,\n"
        "\n"
        "truck,C,25:00,40,\n"
        "truck,,08:30,40,\n"
        "truck,D,08:40,400,\n"
        "truck,D,2026-06-02 08:40,40,\n"
        "trailer,T,09:30,278,bay-9\n"
        "trailer,T,soon,278,bay-1\n"
    )
    with pytest.raises(PlanError) as caught:
        parse_plan_csv(text.encode(), DAY, SHANGHAI, "put", BAYS)
    mistakes = caught.value.mistakes
    assert [m.split(":")[0] for m in mistakes] == [f"line {n}" for n in (2, 3, 5, 6, 7, 8, 9, 10)]
    assert mistakes[0] == "line 2: kg = 'forty': must be a number above 0, at most 200"
    assert mistakes[1] == "line 3: kind = 'lorry': must be truck or trailer"
    assert mistakes[3] == "line 6: id: is missing"
    assert mistakes[5] == "line 8: time = '2026-06-02 08:40': is not on the plan's day"
    assert mistakes[6] == "line 9: bay = 'bay-9': must be one of bay-1, bay-2, or empty"
    assert mistakes[7].startswith("line 10: time = 'soon': ")


@pytest.mark.parametrize(
    ("plate", "encoding"),
    [
        *((plate, encoding) for plate in ("豫A12345", "鲁B7", "京C1", "AB 12") for encoding in ("utf-8", "gb18030")),
        ("Müller 7", "utf-8"),
        ("Ÿ-é", "utf-8-sig"),
    ],
)
def test_plates_are_read_in_either_encoding(plate: str, encoding: str) -> None:
    plan = parse_plan_csv(f"truck,{plate},08:10,40,\n".encode(encoding), DAY, SHANGHAI, "put")
    assert plan.trucks[0].id == plate


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "line 1: holds no truck"),
        (b"kind,id,time,kg\n", "line 1: holds no truck"),
        (b"id,time,kg\nA,08:10,40\n", "line 1: names no column kind"),
        (b"\xff\xff\xff", "line 1: is neither UTF-8 nor GB 18030"),
    ],
)
def test_what_is_no_plan_says_so(data: bytes, said: str) -> None:
    with pytest.raises(PlanError, match=said):
        parse_plan_csv(data, DAY, SHANGHAI, "put")


names = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12).filter(
    lambda name: name.strip() == name and not name.startswith("#")
)
seconds = st.integers(0, 86_399)


@given(
    st.dictionaries(names, st.tuples(seconds, st.floats(1, 200)), max_size=6),
    st.dictionaries(names, st.tuples(seconds, st.floats(1, 2000), st.sampled_from([None, "bay-1"])), max_size=4),
)
def test_a_plan_survives_csv(
    trucks: dict[str, tuple[int, float]], trailers: dict[str, tuple[int, float, str | None]]
) -> None:
    if not trucks and not trailers:
        return
    plan = DayPlan(
        DAY,
        tuple(
            sorted(
                (Booking(n, START + s * 1000, float(f"{kg:g}")) for n, (s, kg) in trucks.items()),
                key=lambda b: (b.t_ms, b.id),
            )
        ),
        tuple(
            sorted(
                (Delivery(n, START + s * 1000, float(f"{kg:g}"), bay) for n, (s, kg, bay) in trailers.items()),
                key=lambda d: (d.eta_ms, d.id),
            )
        ),
        "put",
    )
    assert parse_plan_csv(plan_as_csv(plan, SHANGHAI).encode("utf-8-sig"), DAY, SHANGHAI, "put", BAYS) == plan


@given(st.binary(max_size=300))
def test_no_file_breaks_the_reader(data: bytes) -> None:
    try:
        parse_plan_csv(data, DAY, SHANGHAI, "put", BAYS)
    except PlanError as error:
        said = error.mistakes
    else:
        return
    assert said
    assert all(mistake.startswith("line ") for mistake in said)
