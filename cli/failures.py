"""How a command ends: 0 done, 1 failed, 2 bad usage or input, 130 Ctrl-C; one line says what, and what to do."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import NoReturn, ParamSpec, TypeVar

import typer
from pydantic import ValidationError

from station.errors import BadInputError, JinmaError

P = ParamSpec("P")
R = TypeVar("R")


def fail(text: str, code: int = 1) -> NoReturn:
    """End the command: one line on stderr, and the exit code."""
    print(f"jinma: {text}", file=sys.stderr)
    raise typer.Exit(code)


def reported(command: Callable[P, R]) -> Callable[P, R]:
    """Return a command whose own errors end in one line and the right exit code, never in a traceback."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except BadInputError as error:
            fail(str(error), 2)
        except ValidationError as error:
            fail("; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()), 2)
        except JinmaError as error:
            fail(str(error))
        except BrokenPipeError:
            raise typer.Exit(1) from None
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            fail(f"{where}{error.strerror or error}")

    return run
