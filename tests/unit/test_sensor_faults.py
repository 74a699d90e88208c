"""Each fault of a sensor as it shows in the published values, and what tells it from a real change of the process."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest

from simulators.block import TruthBlock
from simulators.faults import FaultBoard, make_fault
from simulators.measuring.instruments import Floats
from simulators.measuring.sampled import SampledBlock
from simulators.measuring.sampling import Sampler
from simulators.measuring.sensor_faults import SPIKE_EACH_MS
from station.domain.signals import UnitMessage
from station.errors import BadInputError
from station.wire import json_v1
from tests.support.fake_physics import START_MS, FakePhysics
from tests.support.plants import jinma

PLANT = jinma()
PLACE = {tag: column for column, tag in enumerate(PLANT.signals)}
TWINS = ("PT-330A", "PT-330B")
PHYSICAL_SLEW_MPA_MIN = 45.0
HOUR_S = 3600


@dataclass
class Bench:
    """A station whose high bank does as told, with faults."""

    bank_mpa: Floats
    faults: FaultBoard

    @property
    def valve(self) -> Floats:
        """Opens and shuts every 40 s."""
        return np.arange(len(self.bank_mpa)) // 40 % 2.0

    def said(self, *cuts: int) -> list[UnitMessage]:
        """Return what the station says, its time cut into blocks of so many steps."""
        return [message for block in self._blocks(cuts) for message in block.messages()]

    def values(self, tag: str) -> Floats:
        """Return all values of a signal in order, NaN for null."""
        return np.array([value for _, value in self.samples(tag)], dtype=np.float64)

    def samples(self, tag: str) -> list[tuple[int, float | None]]:
        """Return (true time, value) of each sample of a signal, in order."""
        found = [
            sample
            for group in self._whole.groups
            if tag in group.tags
            for sample in zip(group.at_ms.tolist(), group.columns[group.tags.index(tag)], strict=True)
        ]
        return sorted(found, key=lambda sample: sample[0])

    @cached_property
    def _whole(self) -> SampledBlock:
        return self._blocks(())[0]

    def _blocks(self, cuts: tuple[int, ...]) -> list[SampledBlock]:
        sampler = Sampler(PLANT, 1, "b")
        physics = FakePhysics(PLANT)
        blocks = []
        first = 0
        for steps in cuts or (len(self.bank_mpa),):
            block = physics.advance(steps)
            for tag in TWINS:
                block.values[:, PLACE[tag]] = self.bank_mpa[first : first + steps]
            block.values[:, PLACE["ZS-330D"]] = self.valve[first : first + steps]
            blocks.append(sampler.sample(block, faults=self.faults))
            first += steps
        return blocks


def faults(name: str, after_s: float = 0.0, signal: str = "PT-330A", **options: object) -> FaultBoard:
    options = {"signal": signal, "for_s": 1800.0, **options}
    return FaultBoard([make_fault(PLANT, name, "", START_MS + round(after_s * 1000), options)])


def drawn_down(seconds: int = HOUR_S) -> Floats:
    """A bank that is drawn from 44 to 38 MPa and recharged."""
    half = seconds // 2
    bank: Floats = np.concatenate((np.linspace(44.0, 38.0, half), np.linspace(38.0, 44.0, seconds - half)))
    return bank


def residual(bench: Bench) -> Floats:
    return bench.values("PT-330A") - bench.values("PT-330B")


def test_a_drift_grows_over_its_ramp_in_one_of_the_twins_and_ends() -> None:
    apart = residual(Bench(drawn_down(), faults("sensor-drift", 600, size=0.8, ramp_s=1200)))
    usual = apart[:600].mean()
    assert abs(usual) < 0.08
    assert apart[1195:1205].mean() - usual == pytest.approx(0.4, abs=0.03)
    assert apart[1850:2390].mean() - usual == pytest.approx(0.8, abs=0.02)
    assert apart[2410:].mean() - usual == pytest.approx(0.0, abs=0.02)


def test_a_real_change_moves_both_twins_and_leaves_no_residual() -> None:
    bench = Bench(drawn_down(), FaultBoard())
    apart = residual(bench)
    assert np.ptp(bench.values("PT-330A")) > 5.5
    assert abs(apart - apart.mean()).max() < 0.08


def test_a_bias_is_there_at_once() -> None:
    apart = residual(Bench(drawn_down(), faults("sensor-bias", 600, size=-0.5)))
    assert apart[601:2399].mean() - apart[:600].mean() == pytest.approx(-0.5, abs=0.01)
    assert apart[602] - apart[598] == pytest.approx(-0.5, abs=0.06)


def test_a_stuck_sensor_does_not_move_at_all_while_its_twin_does() -> None:
    bench = Bench(drawn_down(), faults("sensor-stuck", 600))
    stuck, twin = bench.values("PT-330A"), bench.values("PT-330B")
    assert set(stuck[600:2400].tolist()) == {stuck[600]}
    assert stuck[600] == pytest.approx(twin[600], abs=0.1)
    assert np.ptp(twin[600:2400]) > 3.0
    assert stuck[2401] == pytest.approx(twin[2401], abs=0.1)


def test_a_healthy_sensor_of_a_resting_bank_still_moves_within_each_minute() -> None:
    values = Bench(np.full(HOUR_S, 44.0), FaultBoard()).values("PT-330A")
    assert values.reshape(-1, 60).var(axis=1).min() > 0.0


def test_spikes_are_single_samples_faster_than_any_gas_and_one_in_each_half_minute() -> None:
    bench = Bench(drawn_down(), faults("sensor-spike", 600, size=8.0))
    values, twin = bench.values("PT-330A"), bench.values("PT-330B")
    jumps = np.abs(np.diff(values)) * 60.0 > PHYSICAL_SLEW_MPA_MIN
    spikes = np.flatnonzero(np.abs(values - twin) > 4.0)
    assert len(spikes) == pytest.approx(1_800_000 / SPIKE_EACH_MS, abs=1)
    assert jumps.sum() == 2 * len(spikes)  # up and back: never two in a row
    assert spikes.min() >= 600
    assert spikes.max() < 2400
    assert len({int(at) % 30 for at in spikes}) > 10  # at no fixed beat
    assert (np.abs(np.diff(twin)) * 60.0 < PHYSICAL_SLEW_MPA_MIN).all()


def test_a_dropout_is_null_on_the_wire_and_the_gap_ends() -> None:
    bench = Bench(drawn_down(), faults("sensor-dropout", 600))
    values = bench.values("PT-330A")
    assert np.isnan(values[600:2400]).all()
    assert not np.isnan(values[:600]).any()
    assert not np.isnan(values[2400:]).any()
    message = next(m for m in Bench(np.full(5, 44.0), faults("sensor-dropout")).said() if "PT-330A" in m.values)
    assert message.values["PT-330A"] is None
    assert b'"PT-330A":null' in json_v1.encode(message)
    assert message.quality_of("PT-330A") == "bad:null"
    assert message.values["PT-330B"] is not None


def test_part_of_the_samples_may_be_missing() -> None:
    values = Bench(drawn_down(), faults("sensor-dropout", 600, size=0.3)).values("PT-330A")
    assert np.isnan(values[600:2400]).mean() == pytest.approx(0.3, abs=0.05)


def test_noise_is_so_many_times_the_usual() -> None:
    bench = Bench(np.full(HOUR_S, 44.0), faults("sensor-noise", 600, size=5.0))
    values, twin = bench.values("PT-330A"), bench.values("PT-330B")
    assert values[600:2400].std() / values[2400:].std() == pytest.approx(5.0, rel=0.25)
    assert values[600:2400].mean() == pytest.approx(values[:600].mean(), abs=0.01)
    assert twin[600:2400].std() == pytest.approx(twin[2400:].std(), rel=0.2)


@pytest.mark.parametrize("fault", ["sensor-stuck", "sensor-dropout"])
def test_a_contact_may_fail_too_and_says_so_once_and_each_minute(fault: str) -> None:
    bench = Bench(np.full(400, 44.0), faults(fault, 100, "ZS-330D", for_s=200.0))
    said = [((t_ms - START_MS) // 1000, value) for t_ms, value in bench.samples("ZS-330D")]
    during = [value for at_s, value in said if 100 <= at_s < 300]
    assert set(during) == ({0} if fault == "sensor-stuck" else {None})
    assert len(during) in (3, 4)
    assert next(sample for sample in said if sample[0] >= 300) == (300, 1)  # what it truly is, at once
    assert all(value is None or isinstance(value, int) for _, value in said)


@pytest.mark.parametrize("name", ["sensor-drift", "sensor-bias", "sensor-noise", "sensor-spike"])
@pytest.mark.parametrize("signal", ["XS-518A", "ZS-330D", "FQ-516A", "XH-9501", "QI-615A"])
def test_what_is_not_measured_cannot_drift(name: str, signal: str) -> None:
    if signal not in PLANT.signals:
        signal = next(tag for tag, s in PLANT.signals.items() if s.role == "soc")
    with pytest.raises(BadInputError, match=f"{signal}.*not measured.*sensor-dropout and sensor-stuck"):
        make_fault(PLANT, name, "", START_MS, {"signal": signal, "size": 2.0})


def test_faults_are_the_same_however_time_is_cut_and_over_a_snapshot() -> None:
    board = FaultBoard(
        itertools.chain.from_iterable(
            faults(name, after_s, tag, for_s=200.0, ramp_s=50.0).faults
            for name, after_s, tag in (
                ("sensor-stuck", 99.5, "PT-330A"),
                ("sensor-drift", 20, "PT-330B"),
                ("sensor-dropout", 130, "PT-310A"),
                ("sensor-spike", 0, "PT-320A"),
                ("sensor-noise", 5, "TT-330C"),
            )
        )
    )
    bench = Bench(drawn_down(400), board)
    whole = bench.said()
    for cuts in ((1, 98, 1, 1, 299), (100, 300), (399, 1)):
        assert bench.said(*cuts) == whole
    first, second = Sampler(PLANT, 1, "b"), Sampler(PLANT, 1, "b")
    physics = FakePhysics(PLANT)
    first.sample(moving(physics.advance(150)), faults=board)
    second.resume(first.state)
    block = moving(physics.advance(100))
    assert list(second.sample(block, faults=board).messages()) == list(first.sample(block, faults=board).messages())


def moving(block: TruthBlock) -> TruthBlock:
    block.values[:, PLACE["PT-330A"]] = (block.t_ms - START_MS) / 1e4
    return block


def test_what_runs_into_the_end_of_its_range_says_so_and_keeps_its_alarm() -> None:
    bench = Bench(np.linspace(50.0, 70.0, 200), FaultBoard())
    marked = [m for m in bench.said() if m.quality]
    assert marked
    for message in marked:
        assert set(message.quality.values()) == {"uncertain:range"}  # not bad: its HH must sound
        assert all(message.values[tag] == 60.0 for tag in message.quality)
        assert message.quality_of("PT-330A") in ("uncertain:range", "good")
        assert json_v1.decode(json_v1.encode(message)).quality == message.quality
