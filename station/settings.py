"""Settings: flags first, then `JINMA_*`, then `jinma.toml` in the working directory, then the defaults here.

InfluxDB may also be named by its own `INFLUXDB_V2_URL`, `INFLUXDB_V2_TOKEN`, `INFLUXDB_V2_ORG`. A secret may be a file
in `/run/secrets` (or `JINMA_SECRETS_DIR`), named as the variable in lower case: `influxdb_v2_token`.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)")


def parse_duration(value: object) -> object:
    """Return a timedelta of a text such as `7d`, `90s`, `1h30m`; anything else comes back as it is.

    Raises:
        ValueError: A text that is no duration.
    """
    if not isinstance(value, str):
        return value
    text = value.strip()
    parts = _DURATION.findall(text)
    if not parts or _DURATION.sub("", text).strip():
        raise ValueError(f"{value!r} is no duration: write 30s, 5m, 24h, 7d or 1h30m")
    return dt.timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))


Duration = Annotated[dt.timedelta, BeforeValidator(parse_duration)]


def _secrets_dir() -> Path | None:
    folder = Path(os.environ.get("JINMA_SECRETS_DIR", "/run/secrets"))
    return folder if folder.is_dir() else None


class Settings(BaseSettings):
    """Everything that can be set, each with its reason."""

    model_config = SettingsConfigDict(env_prefix="JINMA_", toml_file="jinma.toml", extra="ignore")

    broker: str | None = Field(None, description="MQTT broker; none starts the embedded one")
    store: str | None = Field(None, description="Reading store; none keeps SQLite in the data directory")
    journal: str | None = Field(
        None, description="Alarm journal, a SQLAlchemy URL; none keeps SQLite in the data directory"
    )
    data_dir: Path = Field(Path("data"), description="Everything that this service keeps itself")
    host: str = Field("127.0.0.1", description="Address to listen on: loopback unless told otherwise")
    port: int = Field(8000, ge=0, le=65535, description="Port of API and console; 0 takes a free one")
    plant: list[Path] = Field(default_factory=list, description="Station files; none is the shipped Jinma station")
    scenario: str = Field("normal-day", description="What the simulator plays: a shipped name or a file")
    speed: float = Field(1.0, gt=0, le=10000, description="Station seconds per wall second, a ceiling")
    seed: int = Field(1, description="Seed of the simulator: the same gives the same bytes")
    keep: Duration = Field(dt.timedelta(days=7), description="How long the embedded store keeps readings")
    clock: Literal["wall", "station"] = Field("wall", description="Follow the wall, or a simulator's clock topic")
    spool: Path | None = Field(None, description="Where ingest spools; none is spool/ in the data directory")
    spool_bytes: int = Field(2 * 1024**3, ge=1024**2, description="Spool size at which ingest stops acknowledging")
    shared_group: str | None = Field(None, description="MQTT shared subscription group of several ingest workers")
    accept_replays: bool = Field(False, description="Take stations named {station}~{id} too")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged")
    bootstrap_token: SecretStr | None = Field(None, description="Admin token of a first start; nothing is printed then")
    token: SecretStr | None = Field(None, description="Token with which commands call the API")
    api: str = Field("http://127.0.0.1:8000", description="API that commands call")
    grafana_token: SecretStr | None = Field(None, description="Service-account token with which dashboards are pushed")
    influxdb_url: str | None = Field(None, validation_alias=AliasChoices("influxdb_url", "INFLUXDB_V2_URL"))
    influxdb_token: SecretStr | None = Field(
        None, validation_alias=AliasChoices("influxdb_token", "INFLUXDB_V2_TOKEN", "JINMA_INFLUXDB_TOKEN")
    )
    influxdb_org: str | None = Field(None, validation_alias=AliasChoices("influxdb_org", "INFLUXDB_V2_ORG"))

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
        return init_settings, env_settings, file_secret_settings, TomlConfigSettingsSource(settings_cls)


def load_settings(**flags: Any) -> Settings:
    """Return the settings; a flag that is None was not given.

    Raises:
        pydantic.ValidationError: A value breaks its rule; each is named.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    folder = _secrets_dir()
    if folder is not None:
        given["_secrets_dir"] = folder
    return Settings(**given)
