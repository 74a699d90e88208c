"""Where a setting comes from, strongest first: flag, environment, secret file, jinma.toml, default."""

from __future__ import annotations

import ast
import datetime as dt
import os
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from scripts.make_settings_doc import OUTPUT, document, variables
from station.errors import BadInputError
from station.settings import Settings, load_settings, parse_duration

ROOT = Path(__file__).parents[2]


class Sources:
    """The three places beside the flags, empty at first."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._monkeypatch = monkeypatch
        self.secrets = folder / "secrets"
        self.secrets.mkdir()
        monkeypatch.chdir(folder)
        for name in Settings.model_fields:
            for variable in variables(name):
                monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv("JINMA_SECRETS_DIR", str(self.secrets))

    def variable(self, name: str, value: str) -> None:
        self._monkeypatch.setenv(name, value)

    def secret(self, name: str, value: str) -> None:
        (self.secrets / name).write_text(value + "\n")

    def file(self, text: str) -> None:
        (self._folder / "jinma.toml").write_text(text)


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sources:
    return Sources(tmp_path, monkeypatch)


def test_each_place_outdoes_those_behind_it(sources: Sources) -> None:
    assert load_settings().broker is None
    sources.file('broker = "mqtt://file"')
    assert load_settings().broker == "mqtt://file"
    sources.secret("jinma_broker", "mqtt://secret")
    assert load_settings().broker == "mqtt://secret"
    sources.variable("JINMA_BROKER", "mqtt://variable")
    assert load_settings().broker == "mqtt://variable"
    assert load_settings(broker="mqtt://flag").broker == "mqtt://flag"


def test_a_flag_that_was_not_given_hides_nothing(sources: Sources) -> None:
    sources.variable("JINMA_PORT", "8123")
    assert load_settings(port=None).port == 8123


@pytest.mark.parametrize(
    ("file", "setting"),
    [
        ("influxdb_v2_token", "influxdb_token"),
        ("jinma_influxdb_token", "influxdb_token"),
        ("jinma_bootstrap_token", "bootstrap_token"),
        ("jinma_token", "token"),
        ("jinma_grafana_token", "grafana_token"),
    ],
)
def test_a_secret_file_is_read_and_never_shown(sources: Sources, file: str, setting: str) -> None:
    sources.secret(file, "s3cret-word")
    settings = load_settings()
    value = getattr(settings, setting)
    assert isinstance(value, SecretStr)
    assert value.get_secret_value() == "s3cret-word"  # without the line's end
    assert "s3cret-word" not in repr(settings)
    assert "s3cret-word" not in str(settings.model_dump())


def test_influxdb_goes_by_its_own_names_too(sources: Sources) -> None:
    sources.file('influxdb_url = "http://file"\ninfluxdb_org = "file"')
    sources.secret("influxdb_v2_url", "http://secret")
    assert load_settings().influxdb_url == "http://secret"
    sources.variable("INFLUXDB_V2_URL", "http://theirs")
    assert load_settings().influxdb_url == "http://theirs"
    sources.variable("JINMA_INFLUXDB_URL", "http://ours")
    settings = load_settings()
    assert (settings.influxdb_url, settings.influxdb_org) == ("http://ours", "file")
    assert load_settings(influxdb_url="http://flag").influxdb_url == "http://flag"


def test_a_variable_of_another_program_is_none_of_ours(sources: Sources) -> None:
    for name in ("BROKER", "PORT", "HOST", "TOKEN", "INFLUXDB_URL", "INFLUXDB_TOKEN", "INFLUXDB_ORG"):
        sources.variable(name, "9")
    assert load_settings() == Settings.model_construct()


def test_several_station_files(sources: Sources) -> None:
    sources.variable("JINMA_PLANT", os.pathsep.join(["one.toml", "two.toml"]))
    assert load_settings().plant == [Path("one.toml"), Path("two.toml")]
    sources.variable("JINMA_PLANT", "")
    assert load_settings().plant == []
    assert load_settings(plant=[Path("flag.toml")]).plant == [Path("flag.toml")]


def test_station_files_in_jinma_toml_are_a_list(sources: Sources) -> None:
    sources.file('plant = ["one.toml", "two.toml"]')
    assert load_settings().plant == [Path("one.toml"), Path("two.toml")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "65536"),
        ("port", "http"),
        ("speed", "0"),
        ("speed", "max"),
        ("seed", "one"),
        ("keep", "soon"),
        ("keep", "7"),
        ("keep", "7 weeks"),
        ("clock", "moon"),
        ("spool_bytes", "12"),
        ("accept_replays", "perhaps"),
        ("log_level", "loud"),
    ],
)
def test_a_bad_value_is_named_wherever_it_stands(sources: Sources, name: str, value: str) -> None:
    with pytest.raises(ValidationError, match=name):
        load_settings(**{name: value})
    sources.file(f'{name} = "{value}"')
    with pytest.raises(ValidationError, match=name):
        load_settings()
    sources.file("")
    sources.variable(f"JINMA_{name.upper()}", value)
    with pytest.raises(ValidationError, match=name):
        load_settings()


def test_every_bad_value_is_named_at_once(sources: Sources) -> None:
    sources.file('port = -1\nclock = "moon"')
    with pytest.raises(ValidationError) as caught:
        load_settings()
    assert {error["loc"][0] for error in caught.value.errors()} == {"port", "clock"}


def test_a_slip_in_jinma_toml_is_named(sources: Sources) -> None:
    sources.file('brocker = "mqtt://host"')
    with pytest.raises(ValidationError, match="brocker"):
        load_settings()
    sources.file("broker = ")
    with pytest.raises(BadInputError, match=r"jinma\.toml: Invalid value"):
        load_settings()
    sources.file("keep = 7")
    with pytest.raises(ValidationError, match="no duration"):
        load_settings()


def test_a_named_directory_of_secrets_that_is_none_is_told(sources: Sources) -> None:
    sources.variable("JINMA_SECRETS_DIR", "nowhere")
    with pytest.raises(BadInputError, match="JINMA_SECRETS_DIR: nowhere"):
        load_settings()


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("5m", 300), ("5min", 300), ("1h30m", 5400), ("7d", 604800), ("250ms", 0.25)]
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == dt.timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "7", "d", "-5m", "5 m x", "1h-30m", "five m"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        parse_duration(text)


def test_the_document_says_what_the_code_says() -> None:
    assert OUTPUT.read_text(encoding="utf-8") == document(), "run: python -m scripts.make_settings_doc"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_says_what_it_is_for(name: str) -> None:
    assert len(Settings.model_fields[name].description or "") > 10


def test_every_setting_is_read_by_a_command() -> None:
    read = {
        node.attr
        for file in (ROOT / "cli").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and "settings" in ast.unparse(node.value)
    }
    assert set(Settings.model_fields) - read == set()
