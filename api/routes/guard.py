"""What every guarded route declares: the role it needs, in the code and in the API description, and its errors."""

from __future__ import annotations

from typing import Annotated, Any, Final, TypedDict

from fastapi import Depends

from api.people.roles import Role
from api.people.sessions import Session, require
from api.problems import responses

Viewer = Annotated[Session, Depends(require(Role.VIEWER))]
Operator = Annotated[Session, Depends(require(Role.OPERATOR))]
Engineer = Annotated[Session, Depends(require(Role.ENGINEER))]

JSON: Final = "application/json"


class RouteOptions(TypedDict):
    """Keyword arguments of a route."""

    responses: dict[int | str, dict[str, Any]]
    openapi_extra: dict[str, Any]


def needs(role: Role, *statuses: int, example: object = None, media_type: str = JSON) -> RouteOptions:
    """Return the options of a route that needs `role` and may also answer with `statuses`.

    Args:
        role: The least role that may come in; a test holds it against what the route really lets in.
        statuses: Errors beside those that every guarded route has.
        example: An answer, for the description.
        media_type: Of the answer.
    """
    described = responses(401, 403, 422, 429, 503, *statuses)
    if example is not None:
        described[200] = {"content": {media_type: {"example": example}}}
    return {"responses": described, "openapi_extra": {"x-required-role": role.label}}
