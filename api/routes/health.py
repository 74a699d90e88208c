"""Is the process alive, is it ready, and its metrics."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from api.people.roles import Role
from api.people.sessions import identify, is_local
from api.problems import BrokenRule, ProblemError, responses
from api.routes.bodies import json_answer
from api.services import ApiServices


class Health(BaseModel):
    """The process answers."""

    status: str


class Readiness(BaseModel):
    """Everything that it needs answers too."""

    status: str
    checks: dict[str, str]


_LOCAL_OR_VIEWER: dict[str, Any] = {
    "description": "Open on this machine; elsewhere it needs the role viewer.",
    "openapi_extra": {"x-required-role": Role.VIEWER.label, "x-open-on-loopback": True},
}


def routes(services: ApiServices) -> APIRouter:
    """Return the routes at the root."""
    router = APIRouter(tags=["service"])

    @router.get(
        "/healthz", summary="Is the process alive", response_model=Health, openapi_extra={"x-required-role": "none"}
    )
    async def healthz() -> Response:
        """Says that the process answers, nothing more."""
        return json_answer({"status": "ok"})

    @router.get(
        "/readyz",
        summary="Is everything that it needs there",
        response_model=Readiness,
        responses=responses(401, 403, 429, 503),
        **_LOCAL_OR_VIEWER,
    )
    async def readyz(request: Request) -> Response:
        """Broker, store, journal."""
        await _local_or_viewer(request)
        wrong = await anyio.to_thread.run_sync(_failing, services)
        if wrong:
            rows = [BrokenRule(field=name, value="", rule=text) for name, text in wrong.items()]
            raise ProblemError(503, "; ".join(wrong.values()), rows, {"Retry-After": "5"})
        return json_answer({"status": "ready", "checks": dict.fromkeys(services.checks, "ok")})

    @router.get(
        "/metrics",
        summary="Metrics for Prometheus",
        response_class=Response,
        responses={**responses(401, 403, 429), 200: {"content": {"text/plain": {}}}},
        **_LOCAL_OR_VIEWER,
    )
    async def metrics(request: Request) -> Response:
        """Text format."""
        await _local_or_viewer(request)
        text = await anyio.to_thread.run_sync(generate_latest, services.registry)
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    return router


async def _local_or_viewer(request: Request) -> None:
    if not is_local(request):
        await identify(request)


def _failing(services: ApiServices) -> dict[str, str]:
    found = {name: check() for name, check in services.checks.items()}
    return {name: f"{name}: {text}" for name, text in found.items() if text is not None}
