"""`jinma report` beside a service's data directory: each form, and what it says of what it cannot know."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cli.main import app
from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_notes import SqlNotes
from station.adapters.sqlite_readings import SqliteReadings
from station.domain.report.notes import ShiftNote
from tests.support.plants import jinma
from tests.support.report_days import DATE, at, said
from tests.support.service import jinma as run_jinma


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a service that has run for a quiet day."""
    folder = tmp_path_factory.mktemp("data")
    store = SqliteReadings(folder / "readings.sqlite")
    store.write(list(said(jinma())))
    store.close()
    database = SqlDatabase(f"sqlite:///{folder}/journal.sqlite")
    SqlNotes(database).append(ShiftNote("jinma", DATE, "handover", at(8), at(8), "王芳", "交班：一切正常"))
    database.close()
    return folder


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    monkeypatch.setattr("cli.process_log.configure", lambda _level: None)
    return CliRunner().invoke(app, ["report", *words])


@pytest.mark.parametrize(
    ("form", "begins"), [("html", b"<!DOCTYPE html>"), ("pdf", b"%PDF-"), ("csv", b"\xef\xbb\xbf")]
)
def test_each_form_is_written(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, begins: bytes
) -> None:
    file = tmp_path / f"day.{form}"
    result = run(monkeypatch, DATE.isoformat(), "--data-dir", str(data), "--output", str(file))
    assert (result.exit_code, result.stdout.strip()) == (0, str(file)), result.output
    assert file.read_bytes().startswith(begins)
    if form != "pdf":
        assert "交班：一切正常" in file.read_text(encoding="utf-8-sig")


def test_a_pdf_is_written_without_its_libraries_telling_of_it(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "day.pdf"
    done = run_jinma("report", DATE.isoformat(), "--data-dir", str(data), "--output", str(file))
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, str(file), "")


def test_without_a_journal_alarms_and_plan_are_not_known(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, elsewhere = f"sqlite:///{data}/readings.sqlite", str(tmp_path / "none")
    result = run(monkeypatch, DATE.isoformat(), "--store", store, "--data-dir", elsewhere, "--json")
    body = json.loads(result.stdout)
    assert (body["alarms"], body["dispensing"]["planned_kg"], body["scorecard"], body["notes"]) == (
        None,
        None,
        None,
        [],
    )
    assert body["dispensing"]["kg"] == 40.0
    assert "no journal was named" in result.stderr


def test_figures_are_printed_and_the_stamp_is_asked_for(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, "--data-dir", str(data), "--lang", "en", "--simulated")
    assert result.exit_code == 0
    assert result.stdout.startswith("Jinma hydrogen station: daily report of 2026-11-23 SIMULATED")
    assert "40 kg / no plan" in result.stdout


def test_a_day_without_readings_is_told_with_what_there_is(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, "2026-11-20", "--data-dir", str(data))
    assert result.exit_code == 2
    assert "no readings of jinma that day; the store has 2026-11-23 to 2026-11-23" in result.stderr
