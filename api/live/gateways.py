"""What the gateways last said of themselves (retained births and last wills)."""

from __future__ import annotations

from station.wire.plan_v1 import GatewayState


class Gateways:
    """Gateway id -> its last state."""

    def __init__(self) -> None:
        self._states: dict[str, GatewayState] = {}
        self.any_simulated = False

    def update(self, gateway: str, state: GatewayState) -> None:
        """Take a birth or a last will."""
        self._states[gateway] = state
        self.any_simulated = any(one.sim for one in self._states.values())

    def all(self) -> dict[str, GatewayState]:
        """Return every gateway that said something."""
        return dict(self._states)
