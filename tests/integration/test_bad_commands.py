"""Commands that cannot do what they are asked end with one line and the exit code that docs/bad-input.md names."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.support.documents import bad_input


@pytest.mark.parametrize("row", bad_input("Commands"), ids=lambda row: row[0])
def test_a_bad_command_ends_as_documented(row: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command, exit_code, said = row
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INFLUXDB_V2_TOKEN", raising=False)
    monkeypatch.setattr("cli.process_log.configure", lambda _level: None)  # it would stay for the tests behind this one
    result = CliRunner().invoke(app, shlex.split(command.strip("`"))[1:])
    assert result.exit_code == int(exit_code)
    assert result.stderr.startswith(said)
    assert result.stderr.count("\n") == 1
