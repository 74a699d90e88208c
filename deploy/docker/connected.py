# ruff: noqa: INP001 - runs by itself inside the image, in no package
"""Health of a service that has no HTTP: it holds a connection to the broker.

Usage: connected.py PORT. Linux only, as the containers are.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

_ESTABLISHED = "01"
"""In column `st` of /proc/net/tcp."""


def holds_connection(lines: Iterable[str], port: int) -> bool:
    """Return True where one of the lines of /proc/net/tcp is an established connection to `port` of somebody else."""
    rows = (line.split() for line in lines)
    return any(len(row) > 3 and row[3] == _ESTABLISHED and row[2].endswith(f":{port:04X}") for row in rows)


def main() -> int:
    """Return 0 where this machine holds a connection to the port, else 1."""
    port = int(sys.argv[1])
    tables = [Path("/proc/net/tcp"), Path("/proc/net/tcp6")]
    return 0 if any(holds_connection(t.read_text().splitlines(), port) for t in tables if t.exists()) else 1


if __name__ == "__main__":
    sys.exit(main())
