"""Settings: flags first, then `JINMA_*`, then `jinma.toml` in the working directory, then the defaults here.

InfluxDB may also be named by its own `INFLUXDB_V2_URL`, `INFLUXDB_V2_TOKEN`, `INFLUXDB_V2_ORG`. A secret may be a file
in `/run/secrets` (or `JINMA_SECRETS_DIR`), named as the variable in lower case: `influxdb_v2_token`.
docs/settings.md is made from this file by `python -m scripts.make_settings_doc`.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, SecretStr
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from station.errors import BadInputError

CONFIG_FILE = "jinma.toml"
SECRETS_VARIABLE = "JINMA_SECRETS_DIR"
SECRETS_DIR = "/run/secrets"

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)")


def parse_duration(value: object) -> object:
    """Return a timedelta of a text such as `7d`, `90s`, `1h30m`; a timedelta comes back as it is.

    Raises:
        ValueError: A text that is no duration, or a bare number, which would leave the unit to a guess.
    """
    if isinstance(value, int | float):
        raise ValueError(f"{value!r} is no duration: write 30s, 5m, 24h, 7d or 1h30m")
    if not isinstance(value, str):
        return value
    text = value.strip()
    parts = _DURATION.findall(text)
    if not parts or _DURATION.sub("", text).strip():
        raise ValueError(f"{value!r} is no duration: write 30s, 5m, 24h, 7d or 1h30m")
    return dt.timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))


def _split_paths(value: object) -> object:
    return [part for part in value.split(os.pathsep) if part] if isinstance(value, str) else value


Duration = Annotated[dt.timedelta, BeforeValidator(parse_duration)]
Paths = Annotated[list[Path], NoDecode, BeforeValidator(_split_paths)]
"""Several files in one variable are separated as in PATH."""


def _secrets_dir() -> Path | None:
    named = os.environ.get(SECRETS_VARIABLE)
    folder = Path(named or SECRETS_DIR)
    if folder.is_dir():
        return folder
    if named:
        raise BadInputError(f"{SECRETS_VARIABLE}: {named} is no directory")
    return None


# Aliases of pydantic would do for these, but a value found under an alias outdoes one found under the setting's own
# name whatever the order of the sources: jinma.toml would win over the environment.
INFLUX_VARIABLES = {f"influxdb_{name}": f"INFLUXDB_V2_{name.upper()}" for name in ("url", "token", "org")}


def _from_influx_variables() -> dict[str, str]:
    return {name: os.environ[variable] for name, variable in INFLUX_VARIABLES.items() if variable in os.environ}


def _from_influx_secrets(folder: Path | None) -> dict[str, str]:
    files = {name: folder / variable.lower() for name, variable in INFLUX_VARIABLES.items()} if folder else {}
    return {name: file.read_text(encoding="utf-8").strip() for name, file in files.items() if file.is_file()}


class Settings(BaseSettings):
    """Everything that can be set, each with its reason."""

    model_config = SettingsConfigDict(env_prefix="JINMA_", toml_file=CONFIG_FILE, extra="forbid")

    broker: str | None = Field(None, description="MQTT broker; none starts the embedded one")
    store: str | None = Field(None, description="Reading store; none keeps SQLite in the data directory")
    journal: str | None = Field(
        None, description="Alarm journal, a SQLAlchemy URL; none keeps SQLite in the data directory"
    )
    data_dir: Path = Field(Path("data"), description="Everything that this service keeps itself")
    host: str = Field("127.0.0.1", description="Address to listen on: loopback unless told otherwise")
    port: int = Field(8000, ge=0, le=65535, description="Port of API and console; 0 takes a free one")
    plant: Paths = Field(default_factory=list, description="Station files; none is the shipped Jinma station")
    scenario: str = Field("normal-day", description="What the simulator plays: a shipped name or a file")
    speed: float = Field(1.0, gt=0, le=10000, description="Station seconds per wall second, a ceiling")
    seed: int = Field(1, description="Seed of the simulator: the same gives the same bytes")
    keep: Duration = Field(
        dt.timedelta(days=7), description="How long SQLite keeps readings; InfluxDB too, but only where this is set"
    )
    clock: Literal["wall", "station"] = Field("wall", description="Follow the wall, or a simulator's clock topic")
    spool: Path | None = Field(None, description="Where ingest spools; none is spool/ in the data directory")
    spool_bytes: int = Field(2 * 1024**3, ge=1024**2, description="Spool size at which ingest stops acknowledging")
    spool_age: Duration = Field(
        dt.timedelta(days=7), description="Age of what waits in the spool at which ingest stops acknowledging"
    )
    shared_group: str | None = Field(
        None, pattern=r"^[A-Za-z0-9_.-]{1,64}$", description="Group of ingests that share the messages of a broker"
    )
    metrics_port: int = Field(0, ge=0, le=65535, description="Port of `jinma ingest`'s /metrics on `host`; 0 has none")
    accept_older: Duration = Field(
        dt.timedelta(days=30), description="Messages with an older time are set aside as dead letters"
    )
    accept_newer: Duration = Field(
        dt.timedelta(hours=24), description="Messages with a time further ahead are set aside as dead letters"
    )
    unknown_signals: Literal["refuse", "ignore", "store"] = Field(
        "refuse", description="Signals that the station file lacks: dead letter, left out, or stored all the same"
    )
    accept_replays: bool = Field(False, description="Take stations named {station}~{id} too")
    replays: int = Field(4, ge=0, le=64, description="Replays that the service plays at once")
    replay_idle: Duration = Field(
        dt.timedelta(minutes=30), description="A replay that stands still with nobody listening ends after this"
    )
    replay_upload_bytes: int = Field(1024**3, ge=1024, description="Largest log that may be uploaded for a replay")
    replay_bytes: int = Field(
        8 * 1024**3, ge=1024, description="Uploaded logs and what is made of them; beyond, the oldest go"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged")
    bootstrap_token: SecretStr | None = Field(None, description="Admin token of a first start; nothing is printed then")
    token: SecretStr | None = Field(None, description="Token with which commands call the API")
    api: str = Field("http://127.0.0.1:8000", description="API that commands call")
    notices: Path | None = Field(None, description="Who is told of which alarm: docs/notices.md; none tells nobody")
    report_after: Duration = Field(
        dt.timedelta(minutes=10), description="The daily report is made so long after the station's midnight"
    )
    report_recheck: Duration = Field(
        dt.timedelta(hours=1), description="Reports of the last three days are put right for late readings so often"
    )
    report_to: str | None = Field(
        None, description="Targets of the notices file that get each day's figures, separated by commas"
    )
    heartbeat_url: SecretStr | None = Field(None, description="Asked each minute while this lives: a dead man's switch")
    grafana_token: SecretStr | None = Field(None, description="Service-account token with which dashboards are pushed")
    hook_token: SecretStr | None = Field(
        None, description="Token with which Grafana's alerts come in: operator, valid while it is set"
    )
    influxdb_url: str | None = Field(
        None, description="InfluxDB's address; with the organisation it is the store where none is named"
    )
    influxdb_token: SecretStr | None = Field(None, description="Token with which an influxdb:// store is opened")
    influxdb_org: str | None = Field(None, description="InfluxDB's organisation, see influxdb_url")

    _sources: dict[str, str] = PrivateAttr(default_factory=dict)

    @property
    def sources(self) -> Mapping[str, str]:
        """Where each setting that is not its default comes from: `flag|environment|secret file|file`."""
        return self._sources

    def note_sources(self, flags: frozenset[str], secrets: Path | None) -> None:
        """Note where each setting came from: the strongest source that has it."""
        for name in self.model_fields_set:
            variables = {f"JINMA_{name.upper()}", INFLUX_VARIABLES.get(name, "")}
            if name in flags:
                self._sources[name] = "flag"
            elif variables & {variable.upper() for variable in os.environ}:
                self._sources[name] = "environment"
            elif secrets is not None and any((secrets / one.lower()).is_file() for one in variables if one):
                self._sources[name] = "secret file"
            else:
                self._sources[name] = "file"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings names it
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources, strongest first: flags, environment, secret files, jinma.toml."""
        return (
            init_settings,
            env_settings,
            InitSettingsSource(settings_cls, _from_influx_variables()),
            file_secret_settings,
            InitSettingsSource(settings_cls, _from_influx_secrets(_secrets_dir())),
            TomlConfigSettingsSource(settings_cls),
        )


def load_settings(**flags: Any) -> Settings:
    """Return the settings; a flag that is None was not given.

    Raises:
        pydantic.ValidationError: A value breaks its rule, or jinma.toml sets what there is not; each is named.
        BadInputError: jinma.toml is no TOML, or the named directory of secrets is none.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    folder = _secrets_dir()
    if folder is not None:
        given["_secrets_dir"] = folder
    try:
        settings = Settings(**given)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInputError(f"{CONFIG_FILE}: {error}") from error
    settings.note_sources(frozenset(given), folder)
    return settings
