"""A device beside the simulator whose readings are looked for on the screen: each has a value of its own."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests.support.service import Service

TAG: Final = "TT-841"
"""Ambient temperature: the simulator sends it each 10 s only, and the overview shows it in whole degrees."""
TOPIC: Final = "h2/v1/jinma/utilities/weather"
LOWEST, HIGHEST = -14, 39
APART: Final = (1.1, 1.9)
"""Seconds between two: never two within the stream's second, and at every phase of it."""


_PHASES = random.Random(1)


@dataclass
class Device:
    """Publishes readings, and holds when it did.

    Attributes:
        sent: Text as the page shows it -> wall ms at which it was handed to the MQTT client, of the newest reading.
    """

    sent: list[tuple[str, float]] = field(default_factory=list)

    async def run(self, service: Service) -> None:
        """Publish until cancelled."""
        address = urlsplit(service.broker)
        client = Client(CallbackAPIVersion.VERSION2, client_id="bench-device")
        client.connect(address.hostname or "", address.port or 1883)
        client.loop_start()
        try:
            for value in self._values(_simulated(service)):
                now_ms = time.time() * 1e3
                client.publish(TOPIC, json.dumps({"t": int(now_ms), "v": {TAG: value}}), qos=1)
                self.sent.append((str(value), now_ms))
                await asyncio.sleep(_PHASES.uniform(*APART))
        finally:
            client.disconnect()
            client.loop_stop()

    def lags_ms(self, shown: list[tuple[str, float]]) -> list[float]:
        """Return how long after its publication each shown reading was shown; what the simulator sent is left out."""
        lags = []
        for text, at_ms in shown:
            sent_ms = [one for other, one in self.sent if other == text and 0 <= at_ms - one < 30_000]
            if sent_ms:
                lags.append(at_ms - sent_ms[-1])
        return lags

    @staticmethod
    def _values(simulated: float) -> Iterator[int]:
        """Yield values without end, none of which the simulator sends meanwhile."""
        return itertools.cycle(value for value in range(LOWEST, HIGHEST + 1) if abs(value - simulated) > 5)


def _simulated(service: Service) -> float:
    items = service.get("/stations/jinma/readings/latest", signal=TAG)["items"]
    return float(items[0]["value"])
