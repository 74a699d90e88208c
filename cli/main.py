"""The `jinma` command: one function a subcommand; what it does lives beside, imported when it is called."""

# Imports inside the functions keep `jinma --help` and the small commands quick: the web framework alone takes a second.
# ruff: noqa: PLC0415

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli import process_log
from cli.failures import reported
from cli.keeping.commands import keeping_commands
from cli.options import (
    Api,
    Broker,
    Clock,
    DataDir,
    FirstStation,
    Journal,
    Json,
    LogMapFile,
    Plants,
    RunSpeed,
    Scenario,
    Seed,
    Speed,
    Store,
)
from cli.people_commands import alarm_commands, journal_commands, token_commands, user_commands
from cli.plan_commands import plan_commands, plant_commands

app = typer.Typer(
    name="jinma",
    help="Monitoring for hydrogen stations. It is no safety system and never commands equipment.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
)
dashboard_commands = typer.Typer(no_args_is_help=True, help="Grafana dashboards as code.")
app.add_typer(plant_commands, name="plant")
app.add_typer(dashboard_commands, name="dashboards")
app.add_typer(plan_commands, name="plan")
app.add_typer(journal_commands, name="journal")
app.add_typer(alarm_commands, name="alarms")
app.add_typer(user_commands, name="user")
app.add_typer(token_commands, name="token")
app.add_typer(keeping_commands)


def _say_version(wanted: bool) -> None:
    if wanted:
        from cli.version import VERSION

        print(f"jinma {VERSION}")
        raise typer.Exit


@app.callback()
@reported
def _common(
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    version: Annotated[  # noqa: ARG001 - told by its callback
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    from station.settings import load_settings

    process_log.configure(load_settings(log_level=log_level).log_level)


@app.command(epilog="Example: jinma run --scenario late-trailers --speed 20")
@reported
def run(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of API and console; 0 takes a free one.")] = None,
    data_dir: DataDir = None,
    scenario: Scenario = None,
    speed: RunSpeed = None,
    seed: Seed = None,
    broker: Broker = None,
    store: Store = None,
    journal: Journal = None,
    plant: Plants = None,
    keep: Annotated[str | None, typer.Option(help="How long readings are kept, e.g. 7d.")] = None,
    simulator: Annotated[bool, typer.Option(help="Run the simulated sensors.")] = True,
    browser: Annotated[bool, typer.Option(help="Open the console in a browser.")] = True,
) -> None:
    """Run the whole service in one process: broker, simulator, ingest, alarms, forecast, API, console."""
    from station.settings import load_settings

    settings = load_settings(
        host=host, port=port, data_dir=data_dir, scenario=scenario, speed=speed, seed=seed, broker=broker, store=store,
        journal=journal, plant=plant, keep=keep,
    )  # fmt: skip
    from cli.run import run_everything  # after the settings: a wrong option is said at once

    raise typer.Exit(run_everything(settings, simulator=simulator, browser=browser))


@app.command(epilog="Example: jinma simulate --speed max --duration 24h --seed 1 --output day.ndjson --json")
@reported
def simulate(
    broker: Broker = None,
    output: Annotated[
        Path | None, typer.Option(help="Write a log instead: .ndjson .csv .lp (.gz .zst) or .parquet.")
    ] = None,
    scenario: Scenario = None,
    start: Annotated[str | None, typer.Option(help="Station time of the start, RFC 3339 with a zone.")] = None,
    duration: Annotated[str | None, typer.Option(help="How long, e.g. 24h; endless with a broker.")] = None,
    every: Annotated[str | None, typer.Option(help="Coarse sampling, e.g. 60s; default is each signal's rate.")] = None,
    speed: Speed = None,
    seed: Seed = None,
    truth: Annotated[Path | None, typer.Option(help="Write the plant's own account here, as JSON.")] = None,
    stations: Annotated[int, typer.Option(min=1, max=500, help="So many of the station: {id}, {id}-2, ...")] = 1,
    outbox: Annotated[
        Path | None, typer.Option(help="Folder in which the gateways keep what is not stored yet, for the next start.")
    ] = None,
    write_plants: Annotated[
        Path | None, typer.Option(help="Write the station files of --stations into this folder, and end.")
    ] = None,
    plant: Plants = None,
    json: Json = False,
) -> None:
    """Publish the simulated sensors of a station, or write a log of them."""
    from cli.simulate import simulate_station

    simulate_station(
        broker=broker, output=output, scenario=scenario, start=start, duration=duration, every=every, speed=speed,
        seed=seed, truth=truth, stations=stations, outbox=outbox, write_plants=write_plants, plant=plant, as_json=json,
    )  # fmt: skip


@app.command(epilog="Example: jinma ingest --broker mqtt://localhost:1883 --store influxdb://localhost:8086/jinma/h2")
@reported
def ingest(
    broker: Broker = None,
    store: Store = None,
    spool: Annotated[Path | None, typer.Option(help="Folder of the spool.")] = None,
    data_dir: DataDir = None,
    shared_group: Annotated[str | None, typer.Option(help="Share the messages with the ingests of this group.")] = None,
    accept_replays: Annotated[bool | None, typer.Option("--accept-replays", help="Take {station}~{id} too.")] = None,
    clock: Clock = None,
    plant: Plants = None,
) -> None:
    """Take messages from MQTT into the store: acknowledged after the disk, delivered until the store has them."""
    from cli.ingest import run_ingest
    from station.settings import load_settings

    run_ingest(
        load_settings(
            broker=broker,
            store=store,
            spool=spool,
            data_dir=data_dir,
            shared_group=shared_group,
            accept_replays=accept_replays,
            clock=clock,
            plant=plant,
        )
    )


@app.command(epilog="Example: jinma serve --broker mqtt://localhost:1883 --store sqlite:///data/readings.sqlite")
@reported
def serve(
    broker: Broker = None,
    store: Store = None,
    journal: Journal = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of API and console.")] = None,
    data_dir: DataDir = None,
    clock: Clock = None,
    plant: Plants = None,
) -> None:
    """Serve API, alarm engine, forecast and console beside a broker and a store."""
    from station.settings import load_settings

    settings = load_settings(
        broker=broker, store=store, journal=journal, host=host, port=port, data_dir=data_dir, clock=clock, plant=plant
    )
    from cli.serve import run_serve  # after the settings: a wrong option is said at once

    raise typer.Exit(run_serve(settings))


@app.command(epilog="Example: jinma replay day.ndjson --broker mqtt://localhost:1883 --speed 60 --signals 'PT-3*'")
@reported
def replay(
    file: Annotated[Path, typer.Argument(help="A recorded log of any format, or another's table with --map.")],
    broker: Broker = None,
    speed: Speed = None,
    from_: Annotated[str | None, typer.Option("--from", help="Leave out what is older.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="Leave out what is not older.")] = None,
    loop: Annotated[int, typer.Option(min=0, help="How often; 0 without end.")] = 1,
    signals: Annotated[str | None, typer.Option(help="Only signals that match this glob.")] = None,
    time: Annotated[str, typer.Option(help="original, or now to shift.")] = "original",
    station: Annotated[
        str | None, typer.Option(help="Publish under this id; a live one needs --time now --yes.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Really publish under a live station's id.")] = False,
    map_: LogMapFile = None,
    plant: Plants = None,
    json: Json = False,
) -> None:
    """Publish a recorded log again, at any speed, under a station id of its own."""
    from cli.logs import replay_file

    replay_file(
        file, broker=broker, speed=speed, start=from_, end=to, loop=loop, signals=signals, time=time, station=station,
        yes=yes, map_file=map_, plant=plant, as_json=json,
    )  # fmt: skip


@app.command(
    epilog="Example: jinma export --store sqlite:///data/readings.sqlite --from 2026-06-01T00:00+08:00 --to ..."
)
@reported
def export(
    from_: Annotated[str, typer.Option("--from", help="First moment, RFC 3339 with a zone.")],
    to: Annotated[str, typer.Option("--to", help="First moment left out.")],
    output: Annotated[Path, typer.Option(help="The log: .ndjson .csv .lp (.gz .zst) or .parquet.")],
    store: Store = None,
    data_dir: DataDir = None,
    station: Annotated[str | None, typer.Option(help="Station id; default is the station of the store.")] = None,
    layout: Annotated[
        str, typer.Option(help="Of a csv: long, a row a reading, or wide, a row a moment and a column a signal.")
    ] = "long",
    json: Json = False,
) -> None:
    """Write what the store holds of a time range to a log."""
    from cli.log_export import export_range

    export_range(
        store=store, data_dir=data_dir, start=from_, end=to, output=output, station=station, layout=layout,
        as_json=json,
    )  # fmt: skip


@app.command("import", epilog="Example: jinma import day.ndjson.zst --store sqlite:///data/readings.sqlite --dry-run")
@reported
def import_(
    file: Annotated[Path, typer.Argument(help="A log of ours in any format, or another's table with --map.")],
    store: Store = None,
    data_dir: DataDir = None,
    map_: LogMapFile = None,
    map_draft: Annotated[
        bool, typer.Option("--map-draft", help="Print a first mapping file for this log, and end.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would come in; store nothing.")] = False,
    refused: Annotated[
        Path | None, typer.Option(help="Refused lines go here; default is FILE.refused.csv in this folder.")
    ] = None,
    plant: Plants = None,
    json: Json = False,
) -> None:
    """Take a log into the store: good rows come in, refused ones are named by line; twice changes nothing."""
    from cli.log_import import import_file, print_draft

    if map_draft:
        print_draft(file, plant)
        return
    import_file(
        file, store=store, data_dir=data_dir, map_file=map_, plant=plant, dry_run=dry_run, refused=refused,
        as_json=json,
    )  # fmt: skip


@app.command(epilog="Example: jinma report 2026-11-23 --data-dir data --lang zh --output report.pdf")
@reported
def report(
    date: Annotated[str | None, typer.Argument(help="Station day; default is the newest that is over.")] = None,
    store: Store = None,
    journal: Journal = None,
    data_dir: DataDir = None,
    lang: Annotated[str, typer.Option(help="zh or en.")] = "zh",
    output: Annotated[
        Path | None, typer.Option(help="The report: .html .pdf .csv or .json; without it the figures are printed.")
    ] = None,
    plant: Plants = None,
    simulated: Annotated[bool, typer.Option("--simulated", help="Stamp it: the data come from a simulator.")] = False,
    json: Json = False,
) -> None:
    """Make the daily report of a station day: kilograms, fills, trailers, balance, energy, alarms, forecast, data."""
    from cli.report import write_report

    write_report(
        date=date, store=store, journal=journal, data_dir=data_dir, language=lang, output=output, plant=plant,
        simulated=simulated, as_json=json,
    )  # fmt: skip


@app.command(epilog="Example: jinma picture --scenario hot-day --output day.html")
@reported
def picture(
    output: Annotated[Path, typer.Option(help="The page, .html; it opens without a network.")],
    log: Annotated[Path | None, typer.Argument(help="A recorded log instead of a simulation.")] = None,
    scenario: Scenario = None,
    start: Annotated[str | None, typer.Option(help="Station time of the start, RFC 3339 with a zone.")] = None,
    duration: Annotated[str | None, typer.Option(help="How long, e.g. 24h.")] = None,
    seed: Seed = None,
    plant: Plants = None,
    lang: Annotated[str, typer.Option(help="en or zh.")] = "en",
) -> None:
    """Draw a simulated day, or a recorded log, as one page of charts that an engineer can judge at a glance."""
    from cli.picture import draw_picture

    draw_picture(
        log=log, output=output, scenario=scenario, start=start, duration=duration, seed=seed, plant=plant, language=lang
    )


@app.command(epilog="Example: jinma capacity --what-if hot-and-one-train-less.json")
@reported
def capacity(
    what_if: Annotated[
        Path | None, typer.Option(help="JSON or TOML file of what is to be otherwise; shown beside the forecast.")
    ] = None,
    api: Api = None,
    station: FirstStation = None,
    json: Json = False,
) -> None:
    """Show today's forecast: can the station fuel the trucks still to come?"""
    from cli.capacity import show_capacity

    show_capacity(what_if=what_if, api=api, station=station, as_json=json)


@app.command("back-test", epilog="Example: jinma back-test --days 24 --output back-test.html")
@reported
def back_test_(
    days: Annotated[int, typer.Option(min=1, max=10_000, help="How many simulated days.")] = 240,
    seed: Annotated[int, typer.Option(help="Another seed makes other days.")] = 1,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Days made at a time.")] = 2,
    cache: Annotated[Path | None, typer.Option(help="Folder of days made before; default DATA_DIR/back-test.")] = None,
    step: Annotated[float, typer.Option(help="Step of the simulated plant, 1 to 10 s.")] = 5.0,
    every: Annotated[int, typer.Option(help="Minutes between forecasts while nothing changes, else 5.")] = 30,
    replicas: Annotated[int, typer.Option(min=0, max=1000, help="Monte Carlo replicas of a forecast.")] = 100,
    events: Annotated[
        bool, typer.Option(help="Make those too that an event asks for; without them alerts come up to 5 min later.")
    ] = True,
    scenario: Annotated[
        list[str] | None, typer.Option(help="Play this shipped scenario or file instead of the mix; repeatable.")
    ] = None,
    start: Annotated[str | None, typer.Option(help="Date of the first day; default draws a season for each.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write the report here, .html; it opens without a network.")
    ] = None,
    plant: Plants = None,
    json: Json = False,
) -> None:
    """Score the forecast over simulated days: the detailed plant is the truth, the forecast sees its sensors alone."""
    from cli.back_test import back_test

    back_test(
        days=days, seed=seed, jobs=jobs, cache=cache, step=step, every=every, replicas=replicas,
        events=events, scenarios=scenario or (), start=start, output=output, plant=plant, as_json=json,
    )  # fmt: skip


@app.command(epilog="Example: jinma fault train-trip --unit train-3 --for 30m --broker mqtt://localhost:1883")
@reported
def fault(
    name: Annotated[str | None, typer.Argument(help="The fault; --list shows them.")] = None,
    unit: Annotated[str | None, typer.Option(help="The unit it befalls.")] = None,
    signal: Annotated[str | None, typer.Option(help="The signal, for sensor faults.")] = None,
    size: Annotated[float | None, typer.Option(help="How bad, in the fault's own unit.")] = None,
    ramp: Annotated[str | None, typer.Option(help="Time to full size, e.g. 5m.")] = None,
    for_: Annotated[str | None, typer.Option("--for", help="How long, e.g. 30m.")] = None,
    broker: Broker = None,
    station: Annotated[str, typer.Option(help="Station id.")] = "jinma",
    list_: Annotated[bool, typer.Option("--list", help="Name the faults.")] = False,
) -> None:
    """Start a fault in a running simulator. A simulated plant only: real equipment is never commanded."""
    from cli.fault import list_faults, send_fault

    if list_:
        list_faults()
        return
    send_fault(name, unit=unit, signal=signal, size=size, ramp=ramp, for_=for_, broker=broker, station=station)


@app.command(epilog="Example: jinma check my-scenario.toml --plant my-station.toml")
@reported
def check(
    file: Annotated[
        Path | None, typer.Argument(help="A station file, a scenario, a mapping file or a fill case.")
    ] = None,
    plant: Plants = None,
    keys: Annotated[str | None, typer.Option(help="Print what such a file may hold instead: scenario.")] = None,
    json: Json = False,
) -> None:
    """Name each mistake of a station file, scenario, mapping file or fill case by line; tell what a scenario does."""
    from cli.check import check_file, print_keys
    from cli.stations import one_plant
    from station.errors import BadInputError

    if keys is not None:
        print_keys(keys, as_json=json)
    elif file is None:
        raise BadInputError("FILE: name the file to check, or --keys scenario")
    else:
        raise typer.Exit(check_file(file, one_plant(plant), as_json=json))


@app.command(epilog="Example: jinma fill dicken-2007")
@reported
def fill(
    case: Annotated[str | None, typer.Argument(help="A shipped case or a case file.")] = None,
    output: Annotated[Path | None, typer.Option(help="Write the course of the fill here, as CSV.")] = None,
    shipped: Annotated[bool, typer.Option("--list", help="List the shipped cases.")] = False,
    json: Json = False,
) -> None:
    """Play one single fill with the tank model and hold it against what was published of it."""
    from cli.fill import list_cases, play_fill
    from station.errors import BadInputError

    if shipped:
        list_cases(as_json=json)
    elif case is None:
        raise BadInputError("name a case or a case file; jinma fill --list shows the shipped ones")
    else:
        play_fill(case, as_json=json, output=output)


@dashboard_commands.command("build", epilog="Example: jinma dashboards build --output deploy/grafana")
@reported
def dashboards_build(
    output: Annotated[Path, typer.Option(help="Folder for the dashboards' JSON.")], plant: Plants = None
) -> None:
    """Write the Grafana dashboards as JSON and provisioning files."""
    from cli.grafana import build

    build(output, plant)


@dashboard_commands.command("push", epilog="Example: jinma dashboards push --grafana http://localhost:3000")
@reported
def dashboards_push(
    grafana: Annotated[str, typer.Option(help="Address of Grafana; the token comes from JINMA_GRAFANA_TOKEN.")],
    store: Store = None,
    hook: Annotated[
        str | None, typer.Option(help="Address of our API as Grafana's server reaches it, for alerts; else JINMA_API.")
    ] = None,
    plant: Plants = None,
    json: Json = False,
) -> None:
    """Make or update data source, folder, dashboards, contact point and alert rules in a Grafana; say what changed."""
    from cli.grafana import push

    push(grafana, store, hook, plant, as_json=json)


def main() -> None:
    """Run the command line; Ctrl-C ends with 130."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
