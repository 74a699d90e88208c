"""What a connection says in MQTT 5 that 3.1.1 has no words for, and how a broker's refusal of version 5 is known.

A feed asks for version 5 first: it may then say itself how much it takes at a time (a broker's own default is 20
messages, which makes ingest wait for each fsync), how long its session is kept, and some brokers tell it
when another client takes the session over. A broker that does not know version 5 is asked again in 3.1.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from station.adapters.mqtt_frames import BatchClient

RECEIVE_MOST: Final = 20_000
"""Messages on their way and not acknowledged: 100 ms of 200 000/s, so that an fsync never makes the broker wait."""
SESSION_KEPT_S: Final = 30 * 86_400
"""As long as ingest accepts old messages by default; the shipped mosquitto.conf says the same for 3.1.1."""

UNSUPPORTED: Final = "Unsupported protocol version"
TAKEN_OVER: Final = "Session taken over"


def connect(client: BatchClient, host: str, port: int, keepalive_s: int, *, version5: bool, clean: bool) -> None:
    """Open the connection and say who we are.

    Raises:
        OSError: Nobody answers there.
    """
    if not version5:
        client.connect(host, port, keepalive_s)
        return
    wishes: Any = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    wishes.ReceiveMaximum = RECEIVE_MOST
    wishes.SessionExpiryInterval = 0 if clean else SESSION_KEPT_S
    client.connect(host, port, keepalive_s, clean_start=clean, properties=wishes)


def subscribe(client: BatchClient, filters: Sequence[str], *, version5: bool) -> None:
    """Subscribe at QoS 1."""
    if version5:
        client.subscribe([(one, SubscribeOptions(qos=1)) for one in filters])
    else:
        client.subscribe([(one, 1) for one in filters])
