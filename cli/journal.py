"""`jinma journal`: is every row of the alarm journal as it was written."""

from __future__ import annotations

import json
from pathlib import Path

from cli.journal_place import journal_url
from station.adapters.sql_journal import open_journal


def verify(*, journal: str | None, data_dir: Path | None, as_json: bool) -> int:
    """Walk the chain and print what was found; return 0 where all is whole, else 1.

    Raises:
        BadInputError: There is no journal.
        JournalUnavailableError: It does not answer.
    """
    opened = open_journal(journal_url(journal, data_dir)[0])
    try:
        wrong = opened.verify()
    finally:
        opened.close()
    if as_json:
        print(json.dumps({"whole": wrong is None, "first_wrong_row": wrong}))
    elif wrong is None:
        print("the journal is whole: every row follows from the one before")
    else:
        print(f"row {wrong} is changed, missing or out of place: nothing from there on can be trusted")
    return 0 if wrong is None else 1
