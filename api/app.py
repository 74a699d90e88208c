"""The HTTP app: routes over the services that are handed in. There is no global app."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api import problems
from api.metrics import ServiceCollector
from api.middleware import BeforeRoutes
from api.people.audit import AuditNotes
from api.routes import (
    alarm_figures,
    alarms,
    capacity,
    completeness,
    energy,
    fills,
    health,
    hooks,
    learned,
    log,
    notices,
    people,
    plans,
    readings,
    replays,
    reports,
    scorecard,
    session,
    settings,
    stations,
    stream,
    trailers,
    trends,
    units,
    what_if,
)
from api.routes.guard import place_examples
from api.routes.plans import PlanRequest
from api.services import ApiServices

PREFIX: Final = "/api/v1"
_ABOUT: Final = """\
Monitoring of hydrogen refuelling stations: readings, alarms, and whether today's trucks can be fuelled.

Each operation names the role it needs in `x-required-role` (viewer < operator < engineer < admin). Times go in as
RFC 3339 or epoch ms and come out as RFC 3339 UTC, except `t` and `t_ms`, which are epoch ms. Every error is
`application/problem+json`. No safety system: it watches, it does not protect."""


def create_app(services: ApiServices) -> FastAPI:
    """Return the app that serves these services. Mount what else is served (the console) on it."""
    app = FastAPI(
        title="Jinma",
        version=services.version,
        description=_ABOUT,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # Its pages load scripts from elsewhere; this works without the outside.
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    problems.install(app)
    app.include_router(health.routes(services))
    for part in (
        stations,
        readings,
        trends,
        completeness,
        log,
        capacity,
        what_if,
        scorecard,
        learned,
        plans,
        # Before the alarms: `figures` would be taken for an alarm's id.
        alarm_figures,
        alarms,
        stream,
        session,
        units,
        hooks,
        people,
        notices,
        replays,
        reports,
        fills,
        trailers,
        energy,
        settings,
    ):
        app.include_router(part.routes(services), prefix=PREFIX)
    app.add_middleware(BeforeRoutes, services=services)
    app.add_middleware(AuditNotes, services=services)
    services.registry.register(ServiceCollector(services))
    _describe(app)
    return app


def _describe(app: FastAPI) -> None:
    """Complete the API description by what FastAPI does not file: schemas that are only referred to."""

    def openapi() -> dict[str, Any]:
        """Return the description, made once."""
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            schemas = schema.setdefault("components", {}).setdefault("schemas", {})
            for model in (problems.Problem, PlanRequest):
                body = model.model_json_schema(ref_template="#/components/schemas/{model}")
                schemas.update(body.pop("$defs", {}))
                schemas[model.__name__] = body
            place_examples(schema)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
