"""Thousands of damaged lines of every kind among good ones: every good one comes in, every bad one is named."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from station.adapters.foreign.log_map import LogMap, load_log_map
from station.adapters.log_export import export_log
from station.adapters.log_files import MAX_LINE_BYTES, find_messages, log_records, write_log
from station.adapters.log_import import LogImport, admission_of
from station.adapters.memory import MemoryReadings
from station.domain.signals import UnitMessage
from tests.support.plants import jinma

DAMAGED = int(os.environ.get("JINMA_DAMAGED_LINES", "10000"))
T0 = 1_795_420_800_000
Row = tuple[object, ...]

MAP = """
format = 1
station = "jinma"
[time]
column = "time"
format = "iso"
[columns]
"p (bar)" = {signal="PT-330A", unit="bar"}
"valve" = {signal="ZS-330D", states={open=1, shut=0}}
"state" = {signal="XS-518A"}
"""


def messages(count: int) -> list[UnitMessage]:
    rng = random.Random(7)
    found = []
    for number in range(count):
        t_ms = T0 + 1000 * number
        values: dict[str, float | None] = {"PT-330A": round(rng.uniform(30, 45), 2), "ZS-330D": float(number % 2)}
        if number % 50 == 0:
            values["TT-330C"] = None
        quality = {"PT-330A": "uncertain:drift"} if number % 70 == 0 else {}
        found.append(UnitMessage("jinma", "storage", "bank-HB", t_ms, values, quality))
        found.append(UnitMessage("jinma", "dispensing", "hose-1A", t_ms, {"XS-518A": float(number % 8)}))
    return found


def readings(said: list[UnitMessage]) -> set[Row]:
    return {(m.key, m.t_ms, r.signal, r.value, r.quality) for m in said for r in m.readings()}


def a_piece(line: bytes, rng: random.Random) -> bytes:
    """Cut off so that it cannot be whole; a cut in the last word of a line can leave a word."""
    return line[: rng.randrange(1, max(2, len(line) * 2 // 3))]


ANY: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    a_piece,
    lambda line, rng: bytes(rng.choices([*range(1, 10), *range(128, 256)], k=40)),
    lambda line, rng: b"\0" * len(line),
    lambda line, rng: line[: len(line) // 3] + b"\0\xff\xfe" + line[len(line) // 3 :][:4],
    lambda line, rng: line + b"x" * (MAX_LINE_BYTES + 10),
    lambda line, rng: b"Connection lost, retrying ...",
    lambda line, rng: a_piece(line, rng) + line,
)

BY_FORMAT: dict[str, tuple[Callable[[bytes, random.Random], bytes], ...]] = {
    "ndjson": (
        lambda line, rng: b'{"topic":"h2/v1/jinma/storage/bank-HB","payload":' + b"[" * 50_000,
        lambda line, rng: b'{"topic":"h2/v1/jinma/storage/bank-HB","payload":{}}',
        lambda line, rng: b'{"topic":"h2/v1/jinma/storage/bank-HB","payload":{"t":%d,"v":{}}}' % T0,
        lambda line, rng: b'{"topic":"h2/v1/jinma/storage/bank-HB","payload":{"t":%d,"v":{"PT-330A":NaN}}}' % T0,
        lambda line, rng: b'{"topic":"h2/v1/jinma/storage/bank-HB","payload":{"t":%d,"v":{"PT-330A":"4"}}}' % T0,
        lambda line, rng: b'{"topic":"h2/v1/jinma/storage/bank-HB","payload":{"t":179542,"v":{"PT-330A":4}}}',
        lambda line, rng: b'{"topic":"h2/v1/jinma/storage/bank-HB","payload":{"t":-1,"v":{"PT-330A":4}}}',
        lambda line, rng: b'{"topic":"h2/v1/jinma/storage/bank-HB","payload":{"t":%d,"v":{"PT-3":4}}}' % T0,
        lambda line, rng: line.replace(b"jinma", b"jinxa"),
        lambda line, rng: line.replace(b"storage", b"storgae").replace(b"dispensing", b"dis"),
        lambda line, rng: b'{"topic":"h2/v1/jinma/dispensing/hose-1A","payload":{"t":%d,"v":{"XS-518A":9}}}' % T0,
        lambda line, rng: b"[]",
    ),
    "csv": (
        lambda line, rng: line.replace(b",good", b""),
        lambda line, rng: line.replace(b",good", b",goood"),
        lambda line, rng: b'"' + line,
        lambda line, rng: line.replace(b"jinma", b"jinxa"),
        lambda line, rng: line.replace(b"bank-HB", b"bank-XB").replace(b"hose-1A", b"hose-9Z"),
        lambda line, rng: line.replace(b"2026-", b"20x6-"),
        lambda line, rng: line.replace(b"Z,jinma", b",jinma"),
        lambda line, rng: b"2026-11-23T08:00:00.000Z,jinma,storage,bank-HB,PT-330A,nan,good",
        lambda line, rng: b"2026-11-23T08:00:00.000Z,jinma,storage,bank-HB,PT-330A,44,12,good",
        lambda line, rng: b"2026-11-23T08:00:00.000Z,jinma,dispensing,hose-1A,XS-518A,2.5,good",
        lambda line, rng: b"17954208,jinma,storage,bank-HB,PT-330A,44.1,good",
        lambda line, rng: b"2026-11-23T08:00:00.000Z,jinma,storage,bank-HB,PT-330A," + b"9" * 500 + b",good",
    ),
    "lp": (
        lambda line, rng: line.rpartition(b" ")[0],
        lambda line, rng: line[:-4],
        lambda line, rng: line.replace(b"station=jinma", b"station=jinxa"),
        lambda line, rng: line.replace(b"unit=", b"unti="),
        lambda line, rng: line.partition(b" ")[0] + b" PT-330A=inf %d" % T0,
        lambda line, rng: line.partition(b" ")[0] + b" PT-330A=4,PT-330B= %d" % T0,
        lambda line, rng: line.partition(b" ")[0] + b' PT-330A="text" %d' % T0,
        lambda line, rng: line.partition(b" ")[0] + b' PT-330A=4,PT-330A.q="open %d' % T0,
        lambda line, rng: line + b"99999999",
        lambda line, rng: line.partition(b" ")[0] + b" PT-330A=%si %d" % (b"9" * 5000, T0),
    ),
    "csv wide": (
        lambda line, rng: line.rpartition(b",")[0],
        lambda line, rng: line + b",1",
        lambda line, rng: line.replace(b"Z,", b",", 1),
        lambda line, rng: b'"' + line,
        lambda line, rng: b"2026-11-23T08:00:00.000Z" + b",x" * line.count(b","),
        lambda line, rng: b"yesterday," + line.partition(b",")[2],
    ),
    "foreign": (
        lambda line, rng: line.rpartition(b";")[0],
        lambda line, rng: line.replace(b";", b",", 1),
        lambda line, rng: b'"' + line,
        lambda line, rng: line + b'"',
        lambda line, rng: b"31.02.2026 08:00" + line[19:],
        lambda line, rng: b"2026-11-23 08:00:00;4,4.1;ajar;9;",
        lambda line, rng: b"2026-11-23 08:00:00;1e999;2;full;",
    ),
}  # fmt: skip


def good_lines(kind: str, said: list[UnitMessage], folder: Path) -> tuple[list[bytes], list[bytes]]:
    """The lines that begin a log, and those of its readings."""
    if kind == "foreign":
        states = ("idle", "connect", "leak-check", "fill", "hold", "end", "abort", "fault")
        rows = [
            f"2026-11-23 {16 + n // 3600:02}:{n // 60 % 60:02}:{n % 60:02};{bank.values['PT-330A'] * 10:.1f};"  # type: ignore[operator]
            f"{('shut', 'open')[n % 2]};{states[n % 8]};{('', chr(34) + 'a; b' + chr(34))[n % 9 == 0]}"
            for n, bank in enumerate(said[::2])
        ]
        return [b"time;p (bar);valve;state;remark"], [row.encode() for row in rows]
    path = folder / ("good.csv" if kind == "csv wide" else f"good.{kind}")
    if kind == "csv wide":
        store = MemoryReadings()
        store.write(said)
        export_log(store, "jinma", T0, T0 + 10**9, path, version="1", layout="wide")
    else:
        write_log(path, log_records(said), {"version": "1"})
    lines = path.read_bytes().splitlines()
    heads = {"csv": 2, "csv wide": 3}.get(kind, 1)
    return lines[:heads], lines[heads:]


@pytest.mark.parametrize("kind", list(BY_FORMAT))
def test_every_good_line_comes_in_and_every_damaged_one_is_named(kind: str, tmp_path: Path) -> None:
    rng = random.Random(11)
    said = messages(DAMAGED // 2)
    if kind == "foreign":  # it knows neither null nor quality
        said = [
            UnitMessage(m.station, m.area, m.unit, m.t_ms, {s: v for s, v in m.values.items() if v is not None})
            for m in said
        ]
    lines, good = good_lines(kind, said, tmp_path)
    kinds = (*ANY, *BY_FORMAT[kind])
    bad: dict[int, bytes] = {}
    for number in range(DAMAGED):
        own = rng.choice(good)
        damaged = kinds[number % len(kinds)](own, rng)
        if damaged != own:  # a format may have nothing of what is damaged
            lines.append(damaged)
            bad[len(lines)] = damaged[:200]
        lines += good[number * len(good) // DAMAGED : (number + 1) * len(good) // DAMAGED]
    path = tmp_path / "damaged"
    path.write_bytes(b"\n".join(lines) + b"\n")
    assert len(bad) > 0.9 * DAMAGED

    store, named = MemoryReadings(), dict[int, str]()
    taking = LogImport(store, admission_of([jinma()], "refuse"), lambda line, _reason, text: named.update({line: text}))
    rules: LogMap | None = load_log_map(MAP, "map", [jinma()]) if kind == "foreign" else None
    taking.take(find_messages(path, taking.refuse, rules=rules), threading.Event(), lambda _rows: None)

    assert {line: bad[line] for line in bad if line not in named} == {}
    assert {line: text for line, text in named.items() if line not in bad} == {}
    found = readings(list(store.messages("jinma", 0, 10**13)))
    assert readings(said) - found == set()
    assert found - readings(said) == set()
