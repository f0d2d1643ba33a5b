"""Backfill: sends past events through one route, as replays that name the event they repeat.

A replay carries the key of its delivery, so whoever has the event knows it as a repeat, however often it is backfilled.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from crossdock.kernel import event as events
from crossdock.kernel.event import Event
from crossdock.kernel.problems import Refused, Unavailable
from crossdock.kernel.stream import BACKFILL, SOURCE, Log, Message
from crossdock.pipeline.backfill import Backfill, Backfills, Past
from crossdock.pipeline.copies import copy_of
from crossdock.pipeline.recorder import append_entries, append_patiently, now_ms
from crossdock.project import Project
from routes.spec import Route

log = logging.getLogger(__name__)

ROOM = 1000  # of a route's events that it has not read: with more no replay is added, so that new events wait little
LOOK_EVERY = 0.25
AWAY = 1.0


class Backfiller:
    """Runs backfills; one that another process goes on with, or that was stopped, is left alone."""

    def __init__(self, store: Backfills, past: Past, streams: Log, project: Callable[[], Project]) -> None:
        self.store = store
        self._past = past
        self._streams = streams
        self._project = project
        self._tasks = set[asyncio.Task[None]]()

    async def plan(self, route: Route, since: datetime | None, to: datetime | None) -> Backfill:
        """Count what a backfill of a route would send: what was stored since a moment, and before another.

        Raises:
            Unavailable: the broker does not answer.
        """
        first = await self._past.since(since) if since else 1
        last = await self._past.since(to) - 1 if to else await self._past.newest()
        total = 0
        async for page in self._pages(route, first - 1, last):
            total += len(self._wanted(route, page))
        return Backfill(f"bf-{time.time_ns():x}", route.name, first, last, total, now_ms(), first - 1)

    async def start(self, planned: Backfill) -> Backfill | None:
        """Begin one; None while another one of the route runs.

        Raises:
            Unavailable: the broker does not answer.
        """
        before = await self.store.get(planned.route)
        if before is not None and before.state == "running":
            return None
        version = before.version if before else 0
        stored = await self.store.put(replace(planned, state="running", version=version))
        if stored is not None:
            self._keep(self._patiently(stored))
        return stored

    async def stop(self, route: str) -> Backfill | None:
        """Stop that of a route, after the lot that is being sent; return what there is of it.

        Raises:
            Unavailable: the broker does not answer.
        """
        while (present := await self.store.get(route)) is not None and present.state == "running":
            stopped = await self.store.put(replace(present, state="stopped"))
            if stopped is not None:
                return stopped
        return present

    def begin(self) -> None:
        """Go on with what a process before this one left running, until `close`."""
        self._keep(self._resume())

    async def _resume(self) -> None:
        for name in self._project().routes:
            while True:
                try:
                    found = await self.store.get(name)
                    break
                except Unavailable as error:
                    log.warning("backfills: %s", error)
                    await asyncio.sleep(AWAY)
            if found is not None and found.state == "running":
                self._keep(self._patiently(found))

    async def close(self) -> None:
        """End at once; the next process goes on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _keep(self, running: Coroutine[Any, Any, None]) -> None:
        """Run in the background; of a route there are two for a while when it was stopped and started again."""
        task = asyncio.create_task(running)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _patiently(self, backfill: Backfill) -> None:
        present: Backfill | None = backfill
        while present is not None and present.state == "running" and present.id == backfill.id:
            try:
                await self._send_all(present)
                return
            except Unavailable as error:
                log.warning("backfill of %s: %s", backfill.route, error)
            except Exception:
                log.exception("backfill of %s", backfill.route)
            await asyncio.sleep(AWAY)
            try:
                present = await self.store.get(backfill.route)
            except Unavailable:
                continue

    async def _send_all(self, backfill: Backfill) -> None:
        route = self._project().routes.get(backfill.route)
        if route is None:
            await self.store.put(replace(backfill, state="stopped"))
            return
        present = backfill
        async for page in self._pages(route, backfill.done, backfill.last):
            further = await self._send_page(present, page)
            if further is None:
                return
            present = further
        await self.store.put(replace(present, state="done", done=present.last))

    async def _send_page(self, backfill: Backfill, page: Sequence[Message]) -> Backfill | None:
        """Send what the route wants; None when it was removed, or when it is stopped or another process goes on."""
        route = self._project().routes.get(backfill.route)
        lot = self._wanted(route, page) if route else []
        while route and lot and await self._past.unread(route) >= ROOM:
            if await self.store.get(backfill.route) != backfill:
                return None  # a route that is paused may have no room for days
            await asyncio.sleep(LOOK_EVERY)
            route = self._project().routes.get(backfill.route)
        if route is None:
            await self.store.put(replace(backfill, state="stopped"))
            return None
        if lot:
            await self._send(backfill, lot)
        return await self.store.put(replace(backfill, done=page[-1].seq, sent=backfill.sent + len(lot)))

    async def _send(self, backfill: Backfill, lot: Sequence[tuple[Message, Event]]) -> None:
        """Say in the journal what is sent before it is, as a replay of a dead letter does; again is a repeat."""
        named, detail = {BACKFILL: backfill.id}, f"backfill {backfill.id}"
        copies = [copy_of(backfill.route, message, event, backfill.id, detail, named) for message, event in lot]
        await append_entries(self._streams, [copy.line for copy in copies])
        await append_patiently(self._streams, [copy.record for copy in copies])

    async def _pages(self, route: Route, after: int, last: int) -> AsyncIterator[list[Message]]:
        while page := await self._past.page(route, after, last):
            yield page
            after = page[-1].seq

    def _wanted(self, route: Route, page: Sequence[Message]) -> list[tuple[Message, Event]]:
        return [(message, event) for message in page if (event := self._asked(route, message)) is not None]

    def _asked(self, route: Route, message: Message) -> Event | None:
        """Return the event if the route takes it; what cannot be told becomes its dead letter, as it would have."""
        try:
            event = events.restore(message.payload)
        except Exception:
            return Event("", "", "")
        try:
            return event if self._project().wants(route, event, message.headers.get(SOURCE, "")) else None
        except Refused:
            return event
