"""What has reached a connector, for the deliveries that wait for it: payment before order, tracking before shipment."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol

from crossdock.kernel.event import Event
from crossdock.kernel.problems import Unavailable
from crossdock.pipeline.process import business_key
from routes.match import Reference

log = logging.getLogger(__name__)

AWAY = 0.5  # seconds until the store is asked again
ANY = ""  # the type of a reference that means every one


class Arrivals(Protocol):
    """The store of what has reached connectors; it forgets what events are no more kept for."""

    async def put(self, connector: str, arrived: Sequence[Reference]) -> None:
        """Note what has reached a connector.

        Raises:
            Unavailable: it was not all acknowledged.
        """

    async def has(self, connector: str, reference: Reference) -> bool:
        """Tell whether that has reached a connector.

        Raises:
            Unavailable: the store does not answer.
        """


class Awaited:
    """The arrivals at one connector, whose routes are all of one worker; `types` are those that a route waits for.

    An arrival is stored before its event is acknowledged, so after a kill it is either known or made again.
    """

    def __init__(self, connector: str, types: Collection[str], store: Arrivals) -> None:
        self._connector = connector
        self._types = frozenset(types)
        self._store = store
        self._waiting: dict[Reference, list[Callable[[], None]]] = {}

    async def arrived(self, event: Event) -> None:
        """Note that an event has reached the connector, however long the store is away, and wake who waits for it."""
        key = business_key(event)
        found = [Reference(type_, key) for type_ in (event.type, ANY) if type_ in self._types] if key else []
        if not found:
            return
        while True:
            try:
                await self._store.put(self._connector, found)
                break
            except Unavailable as error:
                log.warning("waiting to note an arrival at %s: %s", self._connector, error)
                await asyncio.sleep(AWAY)
        for reference in found:
            for wake in self._waiting.pop(reference, ()):
                asyncio.get_running_loop().call_soon(wake)  # not before the event itself has its last word

    async def missing(self, references: Iterable[Reference], wake: Callable[[], None]) -> list[Reference]:
        """Return which have not arrived; `wake` is called when one of them does.

        Raises:
            Unavailable: the store does not answer.
        """
        found = []
        for reference in references:
            self._waiting.setdefault(reference, []).append(wake)  # first, as it may arrive while the store is asked
            if not await self._store.has(self._connector, reference):
                found.append(reference)
            else:
                self.forget([reference], wake)
        return found

    def forget(self, references: Iterable[Reference], wake: Callable[[], None]) -> None:
        """Wake no more who has ended waiting."""
        for reference in references:
            waiting = self._waiting.get(reference, [])
            if wake in waiting:
                waiting.remove(wake)
            if not waiting:
                self._waiting.pop(reference, None)
