"""`jinma alarms`: does the horn sound, do notices arrive."""

from __future__ import annotations

import json

from cli.http_api import first_station, send_json
from station.settings import load_settings

_TIMEOUT_S = 30.0


def test_notices(*, api: str | None, station: str | None, as_json: bool) -> int:
    """Sound the horn and send a test notice to every target; return 0 where all took it, else 1.

    Raises:
        TransientError: The API does not answer.
        FinalError: It refuses, or no notices are set up.
    """
    settings = load_settings(api=api)
    station = station or first_station(settings)
    answer = send_json(settings, "POST", f"/stations/{station}/alarms/test", {}, _TIMEOUT_S)
    if as_json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        print("horn: sounded on every open console")
        for one in answer["items"]:
            went = {True: "ok", False: "FAILED", None: "no answer yet"}[one["ok"]]
            print(f"{one['target']}: {went} ({one['answer']})")
    return 0 if all(one["ok"] for one in answer["items"]) else 1
