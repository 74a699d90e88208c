"""Roles: what somebody may do, each including the ones before it."""

from __future__ import annotations

import enum

from station.errors import BadInputError


class Role(enum.IntEnum):
    """viewer < operator < engineer < admin."""

    VIEWER = 1
    OPERATOR = 2
    ENGINEER = 3
    ADMIN = 4

    @property
    def label(self) -> str:
        """The role as it is written in settings, tables and answers."""
        return self.name.lower()

    @classmethod
    def parse(cls, text: str) -> Role:
        """Return the role of its written name.

        Raises:
            BadInputError: No such role.
        """
        for role in cls:
            if role.label == text:
                return role
        raise BadInputError(f"role {text!r}: must be one of {', '.join(role.label for role in cls)}")
