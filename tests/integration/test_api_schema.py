"""Any request that the API description allows, and many that it forbids, get an answer that it describes.

`JINMA_SCHEMA_EXAMPLES` requests for each operation, five by default.
"""

from __future__ import annotations

import os

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import create_app
from api.people.roles import Role
from station.domain.signals import UnitMessage
from tests.support.live_api import NOON, forecast_at, live_api

pytest_plugins = ["schemathesis.pytest.plugin"]


def described() -> tuple[schemathesis.BaseSchema, str]:
    """Return the description of an API that has something of everything, and an admin's token."""
    api = live_api()
    api.capacity.ready = [forecast_at(NOON)]
    for second in range(20):
        api.say(("storage", "bank-HB"), {"PT-330A": 46.5}, api.clock.advance(1))
        api.store.write([UnitMessage("jinma", "storage", "bank-HB", NOON - second * 1000, {"PT-330A": 44.0})])
    api.live.capacity.history.deliver()
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", create_app(api.services))
    return schema.exclude(path_regex="stream$"), api.tokens.create("schemathesis", Role.ADMIN)


SCHEMA, TOKEN = described()
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@SCHEMA.parametrize()
@settings(
    max_examples=int(os.environ.get("JINMA_SCHEMA_EXAMPLES", "5")),
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_the_api_answers_as_it_is_described(case: schemathesis.Case) -> None:
    if "station" in case.path_parameters:
        case.path_parameters["station"] = "jinma"  # Nearly every other id is a 404, which says little.
    answer = case.call(headers={"Authorization": f"Bearer {TOKEN}"})
    case.validate_response(answer, checks=CHECKS)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == ["application/problem+json"]
