"""The program's version, as the package says."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("jinma")
except PackageNotFoundError:  # run from a tree that was not installed
    VERSION = "0.0.0+tree"
