"""Tells partners of outcomes: makes a status event of each journal entry that a source's callback asks for.

What sends it is a route like any other, of `crossdock.callbackroutes`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from crossdock.callbackroutes import callbacks, status_type
from crossdock.kernel.event import Event, encode_structured
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import RAW_SEQ, SOURCE, Inbox, Log, Message, Record
from crossdock.pipeline.recorder import append_patiently
from crossdock.project import Project
from journal import entry
from journal.entry import Entry, of_callback, unpack
from journal.words import moment, words

log = logging.getLogger(__name__)

BATCH = 20  # messages, each with the entries of many events
WAIT = 5.0
AWAY = 1.0


class Teller:
    """Reads the journal through a durable consumer; what is read again after a crash is a repeat to the broker."""

    def __init__(self, project: Project, open_: Callable[[], Awaitable[Inbox]], streams: Log, metrics: Metrics) -> None:
        self._wanted = asyncio.Event()
        self.use(project)
        self._untold = metrics.callbacks_untold
        self._open = open_
        self._streams = streams

    def use(self, project: Project) -> None:
        """Tell from now on what the sources of this project ask for."""
        open_ones = callbacks(project.sources.values())
        self._on = {(source.partner, source.name): callback.on for source, callback in open_ones}
        self._sent_as = {name: _sent_types(project, name) for _, name in self._on}
        self._taps = {name for name, route in project.routes.items() if route.tap}
        (self._wanted.set if self._on else self._wanted.clear)()

    async def run(self) -> None:
        """Tell until cancelled, whenever there is somebody who wants it."""
        inbox: Inbox | None = None
        while True:
            if not self._on:
                inbox = None
                await self._wanted.wait()
            try:
                inbox = inbox or await self._open()
                await self._tell(inbox, await inbox.fetch(BATCH, WAIT))
            except Unavailable as error:
                log.warning("callbacks: %s", error)
                await asyncio.sleep(AWAY)

    async def _tell(self, inbox: Inbox, messages: list[Message]) -> None:
        """Store the status events of each message, then acknowledge it."""
        for number, message in enumerate(messages):
            if records := self._records(message):
                inbox.extend(messages[number:])
                await append_patiently(self._streams, records)
            inbox.ack([message])

    def _records(self, message: Message) -> list[Record]:
        try:
            lines = unpack(message.payload)
        except Exception:
            log.exception("the message %d of the journal could not be read", message.seq)
            self._untold.inc()
            return []
        return [record for line in lines if (record := self._told(line, message.seq))]

    def _told(self, line: Entry, seq: int) -> Record | None:
        """Return the status event of a line that is told; one that nothing can be made of holds up no other."""
        try:
            return self._record(line) if self._is_told(line) else None
        except Exception:
            log.exception("a line of the message %d of the journal cannot be told", seq)
            self._untold.inc()
            return None

    def _is_told(self, line: Entry) -> bool:
        """Tell whether it is for a callback of its own partner: a source may have changed hands since."""
        told = line.outcome in self._on.get((line.partner, line.source), ())
        return told and not of_callback(line) and line.route not in self._taps

    def _record(self, line: Entry) -> Record:
        """Return the status event of an outcome.

        It keeps the event's id, so that people find the event by its callback; its own source tells it from others, and
        makes the `webhook-id`. A dead letter that fails again after a replay is told again: it has another `ref`.
        """
        name = f"{line.raw}/{line.route}/{line.outcome}/{line.ref}"
        event = Event(
            id=line.id,
            source=f"crossdock:/callbacks/{line.source}/{name}",
            type=status_type(line.source),
            data=self._message(line),
            time=moment(line.at),
            extensions={"partner": line.partner},
        )
        headers = {SOURCE: line.source, RAW_SEQ: str(line.raw)}
        return Record(f"event.{event.type}", encode_structured(event), f"c{name}", headers)

    def _message(self, line: Entry) -> dict[str, Any]:
        """Return the body of a message, in the form that Standard Webhooks advises."""
        type_ = line.type if line.stage == entry.PROCESS else self._sent_as[line.source].get(line.type, "")
        told = {
            "id": line.id,
            "source": line.origin,
            "type": type_,
            "status": line.outcome,
            "route": line.route,
            "at": moment(line.at),
        }
        if line.outcome in entry.LETTERED:
            told |= {"reason": line.reason, "detail": words(line.reason, line.detail)}
        return {
            "type": f"event.{line.outcome}",
            "timestamp": moment(line.at),
            "data": {key: value for key, value in told.items() if value},
        }


def _sent_types(project: Project, source: str) -> dict[str, str]:
    """Return for each canonical type how a source calls it; none where it sends several that become the same."""
    sent: dict[str, set[str]] = {}
    for type_, _ in project.sources[source].types:
        made = {one.to_type for one in project.transforms.values() if one.from_type == type_}
        for canonical in made or {type_}:
            sent.setdefault(canonical, set()).add(type_)
    return {canonical: types.pop() for canonical, types in sent.items() if len(types) == 1}
