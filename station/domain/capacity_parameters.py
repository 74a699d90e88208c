"""Estimates that tune the capacity forecast: what no sensor tells and no drawing states.

Every number may be set in the station file's `[parameters]` under its name here; the defaults are those of a 4 t/day
truck station.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True, slots=True)
class CapacityParameters:
    """Tuning of the forecast.

    Attributes:
        short_fill_tolerance_kg: A truck is short when it gets this much less than asked [kg], contract section 6.
        shortfall_kg: A day is short from this sum on [kg], contract section 6.
        shortfall_certain_share: Share of the replicas that have to agree with the base case where that alerts at once.
        shortfall_certain_kg, shortfall_certain_lead_min: The base case's shortfall and lead that alert at once.
        probability_ewma: Weight of a new 300 s run in the smoothed probability [0..1].
        health_window_s: Time constant of a train's measured over modelled flow [s].
        health_floor, health_ceiling: Bounds of that ratio.
        trailer_underfill_min, trailer_underfill_max: A delivery's gross mass is this share to that below a full one.
        trailer_underfill_base: What the base case takes off an announced delivery, share of the gross mass.
        trailer_cooling_k: How much colder than the air a trailer's gas is once it is empty [K].
        repair_sigma: Log-standard deviation of repair times.
        common_cause_min: Machines of a kind that stop within this of each other wait for one cause [min].
        hose_common_cause_min: The same of hoses, whose fault shows only when the next truck is at each [min].
        common_cause_median_h: Median duration of such a cause [h].
        standstill_median_h: Median duration of what stops every machine of a kind at once [h].
        standstill_sigma: Log-standard deviation of it: minutes, or most of a day.
        train_model_sd_share: Standard deviation of what the trains move over a day against the model [share].
        demand_floor_kg_h: Keeps the time to empty finite when nobody fuels [kg/h].
        connect_min: Part of the handling time before gas flows [min]; the rest comes after.
        booking_sd_min: Standard deviation of an arrival against its booking [min].
        day_late_sd_min: Standard deviation of what all trucks of a day are late or early together [min].
        arrival_bias_min: Mean of an arrival after its booking [min].
        no_show_share: Bookings of which no truck ever comes [0..1].
        walk_in_share: Trucks that come without a booking, over bookings.
        day_share_worth: Bookings that the constancy of these two shares from day to day is worth: the fewer, the more
            they differ.
        fill_kg_ratio: Mean of a fill's kilograms over its booking.
        fill_kg_sd_share: Standard deviation of a fill's kilograms against its booking [share].
        day_kg_sd_share: Standard deviation of a whole day's kilograms against its bookings [share].
        spread_inflation: By how much the bands of kilograms are wider than the replicas lie apart: what the model does
            not know of, as the back-test measures it.
        haste_mpa: Per recharge rank: a bank this far below its recharge start makes trains draw from the richest
            trailer instead of the poorest [MPa].
        dock_to_open_min: From docking at a free bay to the unloading valve open [min].
        direct_fill_min_mpa: Poorest trailer that still begins a truck fill [MPa].
        hold_min: A fill that finds no source ends short after this long [min].
        outage_share: Prior probability that the whole supply is interrupted when a delivery is due [0..1].
        outage_median_h: Median duration of an interrupted supply [h].
        outage_sigma: Log-standard deviation of it.
        outage_gap_share: After an interruption trailers follow each other at this share of their planned gap [0..1].
        yard_at_start: Trailers thought to wait in the yard where nothing was heard before: the supplier sends the next
            one before a bay is free. A bay that stays free for `no_dock_grace_min` proves otherwise.
        no_dock_grace_min: A bay that stood free this long proves that no trailer waits in the yard [min].
        sensor_kg_sd_share: Standard deviation of an inventory measured by pressure and temperature [share].
        late_wait_min: A wait longer than this is a failure of the service [min].
        on_call_lead_min: From calling a trailer to its arrival; by himself the supplier sends none while one is
            announced within this time [min].
        on_call_trailers: How many trailers the supplier can send on a call.
        on_call_share: Probability that he sends one by himself when the stock runs low [0..1].
        on_call_gap: Nor where the next is announced later than this many of his usual gaps.
        twin_limit_share: Redundant transmitters further apart than this share of their range are doubted [0..1].
        model_flow_sd_share: Standard deviation of a mass kept by book, as a share of what went in and out [share].
        model_kg_h_sd: And what it grows by in any case [kg/h].
        stand_in_k_sd: Standard deviation of a temperature that another thermometer stands in for [K].
        lost_hose_sd_share: What each lost input of a hose adds to the scatter of a day's kilograms [share].
        lost_air_sd_share: What each lost input of the weather, of a header or of an unloading line adds to the scatter
            of what trains and chillers give [share].
        unknown_flow_sd_share: Standard deviation of a machine's flow while its flow or state is not heard [share].
        leak_median_h: Median duration of a bank's leak, until somebody has found and closed it [h].
        leak_sigma: Log-standard deviation of it.
        leak_kg_h: Banks that lose more than this unseen have a leak; meters alone make up to 20 [kg/h].
        saver_soc: State of charge at which operators end fills to spare hydrogen [0..1].
    """

    short_fill_tolerance_kg: float = 4.0
    shortfall_kg: float = 40.0
    shortfall_certain_share: float = 0.5
    shortfall_certain_kg: float = 80.0
    shortfall_certain_lead_min: float = 240.0
    probability_ewma: float = 0.5
    health_window_s: float = 600.0
    health_floor: float = 0.3
    health_ceiling: float = 1.1
    trailer_underfill_min: float = 0.0
    trailer_underfill_max: float = 0.05
    trailer_underfill_base: float = 0.0
    trailer_cooling_k: float = 15.0
    repair_sigma: float = 0.8
    common_cause_min: float = 5.0
    hose_common_cause_min: float = 45.0
    common_cause_median_h: float = 10.0
    standstill_median_h: float = 2.0
    standstill_sigma: float = 1.2
    train_model_sd_share: float = 0.05
    demand_floor_kg_h: float = 0.1
    connect_min: float = 3.0
    booking_sd_min: float = 12.0
    day_late_sd_min: float = 8.0
    arrival_bias_min: float = 0.0
    no_show_share: float = 0.02
    walk_in_share: float = 0.02
    day_share_worth: float = 50.0
    fill_kg_ratio: float = 1.0
    fill_kg_sd_share: float = 0.06
    day_kg_sd_share: float = 0.03
    spread_inflation: float = 1.15
    haste_mpa: float = 4.0
    dock_to_open_min: float = 45.0
    direct_fill_min_mpa: float = 8.5
    hold_min: float = 20.0
    outage_share: float = 0.007
    outage_median_h: float = 8.0
    outage_sigma: float = 0.6
    outage_gap_share: float = 0.3
    yard_at_start: float = 1.0
    no_dock_grace_min: float = 20.0
    sensor_kg_sd_share: float = 0.008
    late_wait_min: float = 30.0
    on_call_lead_min: float = 90.0
    on_call_trailers: float = 2.0
    on_call_share: float = 0.9
    on_call_gap: float = 3.0
    twin_limit_share: float = 0.02
    model_flow_sd_share: float = 0.02
    model_kg_h_sd: float = 2.0
    stand_in_k_sd: float = 5.0
    lost_hose_sd_share: float = 0.005
    lost_air_sd_share: float = 0.01
    unknown_flow_sd_share: float = 0.1
    leak_kg_h: float = 50.0
    leak_median_h: float = 5.0
    leak_sigma: float = 0.6
    saver_soc: float = 0.9

    @classmethod
    def of(cls, parameters: Mapping[str, float]) -> CapacityParameters:
        """Return the defaults, replaced by what a station file sets."""
        names = {f.name for f in dataclasses.fields(cls)}
        return cls(**{name: float(value) for name, value in parameters.items() if name in names})
