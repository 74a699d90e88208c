"""The house keeps its own rules: what the wheel lists, what may not stand in a commit."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SIDES = ("station", "simulators", "ingest", "api", "dashboards", "cli")


def tracked() -> list[Path]:
    try:
        names = subprocess.run(["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [ROOT / name for name in names.stdout.splitlines() if (ROOT / name).is_file()]


def test_the_wheel_lists_every_package_by_name() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    found = {
        ".".join(file.parent.relative_to(ROOT).parts)
        for side in SIDES
        for file in (ROOT / side).rglob("*.py")
        if "__pycache__" not in file.parts
    }
    assert listed == found


def test_the_lock_holds_hashes_and_no_address() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert "http" + "s://" not in text
    assert "--index" not in text
    for block in re.split(r"\n(?=\S)", text):
        assert "--hash=sha256:" in block, block[:80]


def test_no_path_of_a_machine_stands_in_a_commit() -> None:
    machine = re.compile(rb"/(?:root|home/[a-z]+|work)/")
    for file in tracked():
        if file.suffix not in {".png", ".npz", ".lock", ".sum"}:
            assert not machine.search(file.read_bytes()) or file == Path(__file__), file
