"""The tables of the documents, which the tests hold against the program."""

from __future__ import annotations

from pathlib import Path

BAD_INPUT = Path(__file__).parents[2] / "docs" / "bad-input.md"


def bad_input(title: str) -> list[list[str]]:
    """Return the cells of the first table below a title of docs/bad-input.md."""
    section = BAD_INPUT.read_text(encoding="utf-8").partition(f"## {title}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines]
