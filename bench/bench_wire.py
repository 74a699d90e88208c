"""Microseconds a message through the codec, beside msgspec's bare decode and encode: `python -m bench.bench_wire`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from bench.figures import count_values, messages, packets, seconds_a_call, show
from station.adapters.plant_files import shipped_plant
from station.wire.admission import Admission
from station.wire.json_v1 import decode, encode


def main() -> None:
    said = messages(2)
    sent = packets(said)
    payloads = [payload for _, payload in sent]
    bare = msgspec.json.Decoder()
    bodies = [bare.decode(payload) for payload in payloads]
    bare_encode = msgspec.json.Encoder().encode
    admission = Admission([shipped_plant()])
    now_ms = said[-1].t_ms

    def us(call: Callable[[Sequence[Any]], object], of: Sequence[Any]) -> float:
        return seconds_a_call(lambda: call(of), for_s=2.0) / len(said) * 1e6

    base = us(lambda of: deque(map(bare.decode, of), 0), payloads)
    written = us(lambda of: deque(map(bare_encode, of), 0), bodies)
    rows = [
        ("msgspec decode, nothing checked", base, base),
        ("decode", us(lambda of: deque(map(decode, of), 0), payloads), base),
        ("admit (decode, plant, clock)", us(lambda of: [admission.admit(t, p, now_ms) for t, p in of], sent), base),
        ("msgspec encode", written, written),
        ("encode", us(lambda of: deque(map(encode, of), 0), said), written),
    ]
    show(
        f"wire: {len(said)} messages, {count_values(said) / len(said):.1f} values and "
        f"{sum(map(len, payloads)) / len(said):.0f} bytes each",
        ("", "us a message", "x msgspec"),
        [(name, f"{figure:.2f}", f"{figure / beside:.1f}") for name, figure, beside in rows],
    )


if __name__ == "__main__":
    main()
