"""The font of PDF reports: Noto Sans SC out of a package of its own; without it a report is English and says so."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Final

PACKAGE: Final = "pylopdf_fonts_zh_cn"
"""Holds one file of the font (SIL Open Font License); only the glyphs that a report uses go into its PDF."""


def chinese_font() -> Path | None:
    """Return the font's file, None where its package is not installed."""
    try:
        found = Path(importlib.import_module(PACKAGE).sans_path())
    except ImportError:
        return None
    return found if found.is_file() else None
