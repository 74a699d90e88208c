"""What every guarded route declares: the role it needs, in the code and in the API description, and its errors."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final, TypedDict

from fastapi import Depends

from api.people.roles import Role
from api.people.session_book import Session
from api.people.sessions import require
from api.problems import responses

Viewer = Annotated[Session, Depends(require(Role.VIEWER))]
Operator = Annotated[Session, Depends(require(Role.OPERATOR))]
Engineer = Annotated[Session, Depends(require(Role.ENGINEER))]
Admin = Annotated[Session, Depends(require(Role.ADMIN))]

JSON: Final = "application/json"
EXAMPLE_MARK: Final = "x-answer-example"


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
    extra: dict[str, Any] = {"x-required-role": role.label}
    if example is not None:
        extra |= answer_example(example, media_type)
    return {"responses": responses(401, 403, 422, 429, 503, *statuses), "openapi_extra": extra}


def answer_example(example: object, media_type: str = JSON) -> dict[str, str]:
    """Return what carries an example into the API description.

    It travels as text: FastAPI drops every null from what it is given, and an answer without its nulls would be wrong.
    """
    return {EXAMPLE_MARK: json.dumps(example), EXAMPLE_MARK + "-of": media_type}


def place_examples(description: dict[str, Any]) -> None:
    """Put the examples that `answer_example` has carried into an API description in their places."""
    for operations in description["paths"].values():
        for operation in operations.values():
            text = operation.pop(EXAMPLE_MARK, None)
            media_type = operation.pop(EXAMPLE_MARK + "-of", JSON)
            if text is not None:
                content = operation["responses"]["200"].setdefault("content", {})
                content.setdefault(media_type, {})["example"] = json.loads(text)
