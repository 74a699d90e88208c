"""The documents tell the truth: their commands exist, their links lead somewhere, their examples behave so."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer

from api.problems import _EXAMPLES
from cli.main import app
from station.settings import Settings
from station.wire.admission import Admission
from tests.support.documents import bad_input
from tests.support.plants import jinma

ROOT = Path(__file__).parents[2]
READMES = ("README.md", "README.zh.md")
DOCS = [ROOT / name for name in READMES] + sorted((ROOT / "docs").rglob("*.md"))
NOW_MS = 1795430400123


class Line(NamedTuple):
    """A command line that a document shows."""

    document: str
    text: str


def command_lines(document: Path) -> Iterator[str]:
    """Every `jinma X` of a document, in code spans and code blocks; continued lines are joined."""
    text = document.read_text(encoding="utf-8").replace("\\\n", " ")
    blocks = re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    for code in [*spans, *(line for block in blocks for line in block.splitlines())]:
        if code.strip().startswith("jinma "):
            yield code.strip()


LINES = [Line(file.name, text) for file in DOCS for text in command_lines(file)]


COMMANDS: Any = typer.main.get_command(app)


@pytest.mark.parametrize("line", sorted(set(LINES)), ids=lambda line: f"{line.document}: {line.text[:60]}")
def test_a_command_line_of_the_documents_exists(line: Line) -> None:
    words = shlex.split(line.text, comments=True)[1:]
    command = COMMANDS
    options = {name for parameter in command.params for name in parameter.opts}
    while words:
        word = words.pop(0)
        if word.startswith("-"):
            options |= {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
            assert word.split("=")[0] in {*options, "--help"}, f"{word}: no option of {command.name}"
        elif word in getattr(command, "commands", {}):
            command = command.commands[word]
    # `COMMAND` stands for any; else the words must have led to a command that does something.
    assert "COMMAND" in line.text or not getattr(command, "commands", None), f"{line.text}: no such command"


def test_the_documents_show_command_lines_at_all() -> None:
    assert len(LINES) > 30


def test_both_readmes_list_the_same_commands() -> None:
    english, chinese = (
        [" ".join(w for w in text.split() if w.isascii() and not w.isupper()) for text in command_lines(ROOT / name)]
        for name in READMES
    )
    assert english == chinese


def test_both_readmes_list_every_command() -> None:
    for name in READMES:
        listed = {text.split()[1] for text in command_lines(ROOT / name)}
        assert set(COMMANDS.commands) <= listed, name


@pytest.mark.parametrize("document", DOCS, ids=lambda file: str(file.relative_to(ROOT)))
def test_the_links_of_a_document_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://", "#")):
            assert (document.parent / target.partition("#")[0]).exists(), target


def test_the_make_targets_of_the_readmes_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for name in READMES:
        text = (ROOT / name).read_text(encoding="utf-8")
        assert set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE)) <= targets


def test_the_variables_of_the_documents_exist() -> None:
    known = {f"JINMA_{name.upper()}" for name in Settings.model_fields} | {"JINMA_SECRETS_DIR"}
    for document in DOCS:
        named = set(re.findall(r"JINMA_[A-Z_]*[A-Z]", document.read_text(encoding="utf-8")))
        assert named <= known, document


@pytest.mark.parametrize("row", bad_input("Messages from sensors"), ids=lambda row: row[2][:40])
def test_a_bad_message_is_refused_as_documented(row: list[str]) -> None:
    message, reason, text, kept = row
    *topic, payload = re.findall(r"`([^`]*)`", message)
    admitted = Admission([jinma()]).admit(
        topic[0] if topic else "h2/v1/jinma/storage/bank-HB", payload.encode(), NOW_MS
    )
    assert [(f"`{refusal.reason}`", refusal.text) for refusal in admitted.refusals] == [(reason, text)]
    values = admitted.message.values if admitted.message else {}
    assert [f"`{signal}`" for signal in values] == ([kept] if kept else [])


def test_every_status_of_the_api_is_documented() -> None:
    assert {int(row[0]) for row in bad_input("The API")} == set(_EXAMPLES)
