"""Make docs/settings.md from station/settings.py and the command line: `python -m scripts.make_settings_doc`."""

from __future__ import annotations

import datetime as dt
import pathlib
from collections.abc import Iterator
from typing import Any, get_args

import typer
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from cli.main import app
from station.settings import CONFIG_FILE, INFLUX_VARIABLES, SECRETS_DIR, SECRETS_VARIABLE, Settings

OUTPUT = pathlib.Path(__file__).parents[1] / "docs" / "settings.md"

_HEAD = f"""\
# Settings

<!-- Made by `python -m scripts.make_settings_doc` from station/settings.py: change that, then run it again. -->

What stands first wins: the flag of a command, the environment variable, a secret file, `{CONFIG_FILE}` in the working
directory, the default. A value that breaks its rule ends the command with exit code 2 and a line that names the
setting; so does a name in `{CONFIG_FILE}` that there is not. `jinma COMMAND --help` says which flags a command takes.

"""

_TAIL = f"""
- **Durations** are written with their unit: `30s`, `5m`, `24h`, `7d`, `1h30m`.
- **Several station files** in `JINMA_PLANT` are separated by `:`; the flag is repeated; `{CONFIG_FILE}` has a list.
- **Secret files** stand in `{SECRETS_DIR}`, or in the directory that `{SECRETS_VARIABLE}` names: one value a file,
  named as a variable in lower case, `influxdb_v2_token`, `jinma_bootstrap_token`, `jinma_broker`. Any setting may come
  so. Those marked *secret* are never logged; a broker URL with a password should come so too, because everybody on the
  machine can read a command line.
- **In `{CONFIG_FILE}`** a setting goes by its name in the first column:

```toml
broker = "mqtt://broker.example:1883"
store = "influxdb://influx.example:8086/jinma/h2"
keep = "30d"
plant = ["my-station.toml"]
log_level = "warning"
```
"""


def document() -> str:
    """Return the text of docs/settings.md."""
    flags = set(_options(typer.main.get_command(app)))
    rows = ["| setting | variable | flag | default | what for |", "|---|---|---|---|---|"]
    rows += [_row(name, field, flags) for name, field in Settings.model_fields.items()]
    return _HEAD + "\n".join(rows) + "\n" + _TAIL


def _row(name: str, field: FieldInfo, flags: set[str]) -> str:
    flag = "--" + name.replace("_", "-")
    cells = [
        f"`{name}`",
        " ".join(f"`{variable}`" for variable in variables(name)),
        f"`{flag}`" if flag in flags else "",
        _default(field),
        f"{field.description or ''}{' (*secret*)' if SecretStr in get_args(field.annotation) else ''}",
    ]
    return "| " + " | ".join(cells) + " |"


def variables(name: str) -> list[str]:
    """Return the environment variables of a setting, the strongest first."""
    ours = f"JINMA_{name.upper()}"
    return [ours, INFLUX_VARIABLES[name]] if name in INFLUX_VARIABLES else [ours]


def _default(field: FieldInfo) -> str:
    value: Any = field.get_default(call_default_factory=True)
    if value is None or value == []:
        return ""
    if isinstance(value, dt.timedelta):
        minutes = value.total_seconds() / 60
        return f"`{minutes:g}m`" if minutes < 60 else f"`{minutes / 1440:g}d`"
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`"


def _options(command: Any) -> Iterator[str]:
    """Every option of a command and of those below it."""
    for parameter in command.params:
        yield from parameter.opts
    for below in getattr(command, "commands", {}).values():
        yield from _options(below)


def main() -> None:
    """Write the file."""
    OUTPUT.write_text(document(), encoding="utf-8")
    print(f"{OUTPUT}: {len(Settings.model_fields)} settings")


if __name__ == "__main__":
    main()
