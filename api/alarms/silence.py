"""Silence of something larger than a signal: a gateway, or the whole station, is one alarm instead of hundreds.

A gateway is taken for silent a little before any of its signals would be stale; from then on their silence is not
counted one by one. The same holds between the station and its gateways. Whoever speaks again gives everything below a
fresh start.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from api.alarms.arrival import ClockOffset
from api.alarms.board import AlarmBoard
from api.alarms.points import SILENT_STATION, AlarmPoint, gateway_alarm_id
from api.alarms.suppression import SuppressionRule
from station.domain.limits import NEVER, Delay, SignalWatch
from station.domain.plant import Gateway, Plant, Suppression

_HOLD_SHARE = 0.6
"""Of the time after which a source is silent. A signal on time is stale at the earliest 2/3 of it after its gateway's
last message (period 5 s, stale after 15 s); the rest is room for jitter."""
_BACK_AFTER = dt.timedelta(seconds=30)
"""After the station speaks again, until the ages of its heartbeats, each 5 s, no longer tell of the outage."""
_ALL_SILENT = "gateway"
"""Why a signal's silence is not counted: its gateway, or the station, is silent."""


class Silence:
    """Counts the silence of one source, in that source's time [epoch ms].

    Attributes:
        point: The alarm that tells of it.
        heard_ms: Newest time heard, or since when silence counts.
        hold_ms: After this much silence [ms] what is below is no longer counted by itself.
        held: That has happened.
        paused: Something larger is silent: this is not counted by itself.
    """

    __slots__ = ("_delay", "_silent_ms", "heard_ms", "held", "hold_ms", "paused", "point")

    def __init__(self, point: AlarmPoint, silent_ms: int) -> None:
        self.point = point
        self.heard_ms = 0
        self.hold_ms = round(_HOLD_SHARE * silent_ms)
        self.held = self.paused = False
        self._silent_ms = silent_ms
        on, off = point.spec.on_delay, point.spec.off_delay
        self._delay = Delay(round(on.total_seconds() * 1000), round(off.total_seconds() * 1000))

    @property
    def alarmed(self) -> bool:
        """True while its alarm is active."""
        return self._delay.active

    def begin(self, t_ms: int, *, alarmed: bool) -> None:
        """Count silence from `t_ms` on; `alarmed`: the alarm was active before a restart."""
        self.heard_ms = t_ms
        self.paused = False
        self.held = alarmed
        self._delay.active = alarmed
        self._delay.forget()

    def pass_time(self, t_ms: int) -> Iterator[tuple[int, bool]]:
        """Let time pass up to, not including, `t_ms`; yields (moment, active) of the alarm's changes."""
        silent_from = self.heard_ms + self._silent_ms
        if silent_from < t_ms and not self._delay.holds and not self.paused:
            yield from self._changed(self._delay.pass_time(silent_from))
            yield from self._changed(self._delay.take(True, silent_from))
        yield from self._changed(self._delay.pass_time(t_ms))

    def hear(self, t_ms: int) -> Iterator[tuple[int, bool]]:
        """Hear something at `t_ms`, after `pass_time`; yields as that."""
        self.heard_ms = t_ms
        self.held = False
        yield from self._changed(self._delay.take(False, t_ms))

    def _changed(self, change: tuple[int, int] | None) -> Iterator[tuple[int, bool]]:
        if change is not None:
            yield change[0], self._delay.active


class GatewayWatch:
    """One gateway: its silence, its clock, its signals, and the alarms of its heartbeat age."""

    __slots__ = ("clock", "heartbeat", "silence", "watches")

    def __init__(self, silence: Silence, watches: list[SignalWatch], heartbeat: list[AlarmPoint]) -> None:
        self.silence = silence
        self.watches = watches
        self.heartbeat = heartbeat
        self.clock = ClockOffset()

    def set_on(self, by_ms: int, t_ms: int) -> None:
        """Its clock, which was behind, was set on by so much before a message of `t_ms`.

        What has been heard is no older for that. Where its messages go on without a leap it was no clock but a queue,
        which has become shorter: nothing moves.
        """
        if t_ms - self.silence.heard_ms < by_ms // 2:
            return
        self.silence.heard_ms += by_ms
        for watch in self.watches:
            if watch.seen:
                watch.move(by_ms)


class SilenceWatch:
    """The silence of a station and of each of its gateways, and with it the order of what time brings about.

    Attributes:
        gateways: In the order of the station file.
    """

    def __init__(self, plant: Plant, board: AlarmBoard) -> None:
        self.gateways = [_gateway_watch(plant, gateway, board) for gateway in plant.gateways]
        self._board = board
        self._settling = False
        board.settle = self._settle
        self._station = Silence(board.book.points[SILENT_STATION], _soonest_stale_ms(list(board.watches.values())))
        heartbeats = [point for gateway in self.gateways for point in gateway.heartbeat]
        row = Suppression(SILENT_STATION, "", (), (), (), _BACK_AFTER, on_none=False)
        self._outage = SuppressionRule(row, heartbeats)
        board.add_rule(self._outage)

    def begin(self, t_ms: int) -> None:
        """Count every silence from `t_ms` on; what was silent before a restart stays so until it speaks."""
        self._station.begin(t_ms, alarmed=self._station.point.state.active)
        for gateway in self.gateways:
            alarmed = gateway.silence.point.state.active
            gateway.silence.begin(t_ms, alarmed=alarmed)
            gateway.silence.paused = self._station.alarmed
            gateway.clock.restart()
            if alarmed:
                self._hide_heartbeat(gateway, t_ms)
            if alarmed or self._station.alarmed:
                for watch in gateway.watches:
                    watch.hold_silence(_ALL_SILENT)

    def is_away(self, gateway: GatewayWatch) -> bool:
        """Return whether a gateway, or the whole station, has been silent for so long that nobody waits for it."""
        return self._station.held or gateway.silence.held

    def hear(self, gateway: GatewayWatch, t_ms: int) -> None:
        """Note a message of a gateway, of source time `t_ms`."""
        station, silence = self._station, gateway.silence
        station_ms = t_ms + gateway.clock.offset_ms
        if station_ms > station.heard_ms:
            if station.held or station_ms - station.heard_ms > station.hold_ms:
                self._station_speaks(station_ms)
            station.heard_ms = station_ms
        if t_ms > silence.heard_ms or silence.held:
            if silence.held or t_ms - silence.heard_ms > silence.hold_ms:
                self._gateway_speaks(gateway, t_ms)
            silence.heard_ms = t_ms

    def clocks(self, now_ms: int) -> Iterator[tuple[int, list[SignalWatch]]]:
        """Yield each gateway's own time at a station time, with its signals."""
        for gateway in self.gateways:
            yield gateway.clock.local_ms(now_ms), gateway.watches

    def pass_time(self, now_ms: int) -> None:
        """Let station time come to, not including, `now_ms`."""
        self._settling = True
        try:
            self._pass_time(now_ms)
        finally:
            self._settling = False

    def _settle(self, t_ms: int) -> None:
        if not self._settling:
            self.pass_time(t_ms)

    def _pass_time(self, now_ms: int) -> None:
        self._settle_in_order(now_ms)
        for at_ms, active in self._station.pass_time(now_ms):
            self._tell(self._station.point, at_ms, active)
        for gateway in self.gateways:
            self._pass_gateway_time(gateway, gateway.clock.local_ms(now_ms))

    def _settle_in_order(self, t_ms: int) -> None:
        """Bring about, one after the other, what comes before `t_ms`: ends of rules, silences held."""
        while True:
            rule, (hold_ms, gateway) = self._board.next_rule_end(), self._next_hold()
            next_ms = hold_ms if rule is None else min(rule.until_ms, hold_ms)
            if next_ms >= t_ms:
                return
            self._board.pass_time(self.clocks(next_ms))
            if rule is not None and rule.until_ms == next_ms:
                self._board.end_rule(rule)
            elif gateway is None:
                self._hold_station(hold_ms)
            else:
                gateway.silence.held = True
                self._hold_signals(gateway, hold_ms - gateway.clock.offset_ms)
                self._hide_heartbeat(gateway, hold_ms - gateway.clock.offset_ms)

    def _next_hold(self) -> tuple[int, GatewayWatch | None]:
        """Return (station time, gateway) of the next silence to be held; None is the station itself."""
        hold_ms, first = NEVER, None
        if not self._station.held:
            hold_ms = self._station.heard_ms + self._station.hold_ms
        for gateway in self.gateways:
            silence = gateway.silence
            if not silence.held and not silence.paused:
                at_ms = silence.heard_ms + silence.hold_ms + gateway.clock.offset_ms
                if at_ms < hold_ms:
                    hold_ms, first = at_ms, gateway
        return hold_ms, first

    def _pass_gateway_time(self, gateway: GatewayWatch, t_ms: int) -> None:
        silence = gateway.silence
        for at_ms, active in silence.pass_time(t_ms):
            self._tell(silence.point, at_ms, active)
            if not active:
                self._show_heartbeat(gateway, at_ms)

    def _hold_station(self, t_ms: int) -> None:
        self._station.held = True
        self._outage.until_ms = NEVER
        self._board.hide(self._outage.points, self._outage.name, t_ms)
        for gateway in self.gateways:
            local_ms = t_ms - gateway.clock.offset_ms
            self._pass_gateway_time(gateway, local_ms)
            if not gateway.silence.held:
                self._hold_signals(gateway, local_ms)
            gateway.silence.paused = True

    def _hold_signals(self, gateway: GatewayWatch, t_ms: int) -> None:
        self._board.pass_time([(t_ms, gateway.watches)])
        for watch in gateway.watches:
            watch.hold_silence(_ALL_SILENT)

    def _station_speaks(self, t_ms: int) -> None:
        self.pass_time(t_ms)
        for at_ms, active in self._station.hear(t_ms):
            self._tell(self._station.point, at_ms, active)
        self._outage.hold_from(t_ms)
        for gateway in self.gateways:
            gateway.silence.paused = False
            if not gateway.silence.alarmed:
                local_ms = t_ms - gateway.clock.offset_ms
                gateway.silence.begin(local_ms, alarmed=False)
                self._show_heartbeat(gateway, local_ms)
                _excuse(gateway, local_ms)

    def _gateway_speaks(self, gateway: GatewayWatch, t_ms: int) -> None:
        self.pass_time(t_ms + gateway.clock.offset_ms)
        for at_ms, active in gateway.silence.hear(t_ms):
            self._tell(gateway.silence.point, at_ms, active)
        if not gateway.silence.alarmed:
            self._show_heartbeat(gateway, t_ms)
        _excuse(gateway, t_ms)

    def _hide_heartbeat(self, gateway: GatewayWatch, t_ms: int) -> None:
        self._board.hide(gateway.heartbeat, gateway.silence.point.id, t_ms)

    def _show_heartbeat(self, gateway: GatewayWatch, t_ms: int) -> None:
        self._board.reveal(gateway.heartbeat, gateway.silence.point.id, t_ms)

    def _tell(self, point: AlarmPoint, at_ms: int, active: bool) -> None:
        if active:
            self._board.raise_alarm(point, at_ms, at_ms, point.spec.priority, None)
        else:
            self._board.clear_alarm(point, at_ms, None)


def _gateway_watch(plant: Plant, gateway: Gateway, board: AlarmBoard) -> GatewayWatch:
    watches = [board.watches[tag] for key in gateway.units for tag in plant.units[key].tags]
    silence = Silence(board.book.points[gateway_alarm_id(gateway)], _soonest_stale_ms(watches))
    heartbeat = [] if gateway.heartbeat is None else list(board.points_of(gateway.heartbeat).values())
    return GatewayWatch(silence, watches, heartbeat)


def _excuse(gateway: GatewayWatch, t_ms: int) -> None:
    for watch in gateway.watches:
        watch.excuse_silence(_ALL_SILENT, t_ms)


def _soonest_stale_ms(watches: list[SignalWatch]) -> int:
    return min((watch.stale_ms for watch in watches), default=NEVER // 4)
