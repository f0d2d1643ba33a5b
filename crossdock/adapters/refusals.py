"""Events that gateways refuse because they break their schema: some of them are shown to the operations process."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from crossdock.adapters import wire
from crossdock.kernel import jsontext
from crossdock.kernel.event import Event

log = logging.getLogger(__name__)

SUBJECT = "crossdock.refused"
RATE, BURST = 5.0, 50.0  # events a second that each gateway shows, and at once
LARGEST = 64 << 10  # bytes


class Refusals:
    """Tells of refused events as far as they are few; what nobody hears is lost, as nothing depends on it."""

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._left, self._at = BURST, clock()

    def tell(self, source: str, version: str, event: Event) -> None:
        """Show an event that breaks a version of its schema."""
        now = self._clock()
        self._left, self._at = min(BURST, self._left + RATE * (now - self._at)), now
        if self._left < 1:
            return
        self._left -= 1
        told = {"source": source, "version": version, "type": event.type, "id": event.id, "data": event.data}
        try:
            stored = jsontext.dumps(told)
            if len(stored) <= LARGEST:
                wire.write(self._client, [wire.frame(SUBJECT, "", stored)])
        except (NatsError, OSError, TypeError):  # not connected, or data that is no JSON
            return


async def listen(client: Client, hear: Callable[[Mapping[str, Any]], None]) -> None:
    """Subscribe to what gateways refuse."""

    async def on_refused(message: Msg) -> None:
        try:
            hear(jsontext.own_loads(message.data))
        except Exception:
            log.exception("a refused event could not be looked at")

    await client.subscribe(SUBJECT, cb=on_refused)
