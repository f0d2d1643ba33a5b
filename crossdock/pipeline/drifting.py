"""Looks at some of what sources send, for drift, lateness and silence; the operations process runs it."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from crossdock.kernel.event import Event
from crossdock.kernel.problems import Refused, Unavailable
from crossdock.kernel.stream import CLAIM, ORIGIN, QUARANTINED, UNREADABLE, VERSION, Message
from crossdock.pipeline.driftstore import Key, Known
from crossdock.pipeline.rhythm import Rhythm, Silence
from crossdock.pipeline.work import Work
from crossdock.project import Project
from crossdock.source import SourceSpec
from dlq.record import PROCESS, letter_id
from schemas.drift import Finding, Origin, findings, settled
from schemas.outline import Outline
from schemas.profile import Profile
from schemas.registry import Registry, major_of

log = logging.getLogger(__name__)

EVERY = 2.0  # seconds from one look to the next
SHARE, MOST_CREDIT = 0.02, 0.2  # of a processor core, and seconds of it that may be saved up
MOST_OF_SOURCE = 100  # events of a source at one look
AT_ONCE = 20  # events after which others get their turn
LARGEST = 256 << 10  # bytes of a message that is looked at
LOOK = 0.0001  # seconds that an event takes, before it is known
SAVE_EVERY = 30.0
SHOWN_FOR = 30 * 86_400_000  # milliseconds since something was seen
NEAR = 2000  # events before the end from which a new installation begins


class Sample(Protocol):
    """Some of the accepted events; every method raises Unavailable when the broker does not answer."""

    async def last(self) -> int:
        """Return the sequence of the last event."""

    async def some(self, subject: str, after: int, limit: int) -> tuple[list[Message], int]:
        """Return events of a subject after a sequence, and how many more there are."""


class Drifts:
    """What is known of the sources of the project in force."""

    def __init__(self, raw: Sample, known: Known, project: Callable[[], Project]) -> None:
        self._raw = raw
        self.known = known
        self._project = project
        self._outlines: dict[tuple[str, str], tuple[Mapping[str, Any], Outline]] = {}
        self._end = -1
        self._credit, self._cost = MOST_CREDIT, LOOK

    async def run(self) -> None:
        """Look until cancelled; what is known, which must be loaded before, outlives the process."""
        looked = saved = time.monotonic()
        while True:
            try:
                now = time.monotonic()
                self._credit = min(MOST_CREDIT, self._credit + SHARE * (now - looked))
                looked = now
                await self.look()
                if now - saved >= SAVE_EVERY:
                    saved = now
                    await self.known.save()
            except Unavailable as error:
                log.info("drift: %s", error)
            except Exception:
                log.exception("drift: a look failed")  # and must not end those to come
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Look at what came since the last time: some of each source, as far as there is time for it.

        Raises:
            Unavailable: the broker does not answer.
        """
        end = await self._raw.last()
        if end == self._end:
            return
        sources = sorted(self._project().sources.values(), key=lambda one: self.known.rhythm(one.name).looked)
        for left, spec in zip(range(len(sources), 0, -1), sources, strict=True):
            affordable = int(self._credit / self._cost / left)
            await self._source(spec, end, max(1, min(MOST_OF_SOURCE, affordable)))
        self._end = end

    async def _source(self, spec: SourceSpec, end: int, limit: int) -> None:
        known = self.known.rhythm(spec.name)
        after = known.position or max(0, end - NEAR)
        messages, left = await self._raw.some(f"raw.{spec.partner}.{spec.name}", after, limit)
        known.position = max([end, *(message.seq for message in messages)])
        fresh = [message for message in messages if ORIGIN not in message.headers]
        if fresh or left:
            known.came(len(fresh) + left, int(time.time() * 1000) if left else int(messages[-1].time * 1000))
            self.known.changed(spec.name)
        for first in range(0, len(fresh), AT_ONCE):
            began, some = time.thread_time(), fresh[first : first + AT_ONCE]
            for message in some:
                self._event(spec, known, message)
            self._spent(time.thread_time() - began, len(some))
            await asyncio.sleep(0)

    def _spent(self, seconds: float, events: int) -> None:
        self._credit -= seconds
        self._cost = 0.9 * self._cost + 0.1 * max(seconds / events, LOOK / 10)

    def _event(self, spec: SourceSpec, known: Rhythm, message: Message) -> None:
        headers, at = message.headers, int(message.time * 1000)
        unread = CLAIM in headers or UNREADABLE in headers or len(message.payload) > LARGEST
        work = Work(message, message.origin, spec.partner, spec.name)
        try:
            if not unread:
                work.read()
        except (Refused, ValueError, KeyError):
            return
        if (event := work.event) is None:
            return
        known.timed(event.source, _seconds(event.time), at)
        origin = Origin(spec.partner, spec.name, event.type, headers.get(VERSION, ""))
        if QUARANTINED in headers:
            self._broken(origin, event.data, at, letter_id(PROCESS, spec.name, message.origin))
        else:
            self._accepted(origin, event, at, warned=spec.on_invalid == "warn")

    def refused(self, document: Mapping[str, Any]) -> None:
        """Look at an event that the gateway refused as it breaks its schema, and of which nothing is stored."""
        spec = self._project().sources.get(document["source"])
        if spec is not None and self._credit > 0:
            began = time.thread_time()
            origin = Origin(spec.partner, spec.name, document["type"], document["version"])
            self._broken(origin, document["data"], int(time.time() * 1000), "")
            self._spent(time.thread_time() - began, 1)

    def _accepted(self, origin: Origin, event: Event, at: int, *, warned: bool) -> None:
        registry = self._project().registry
        if origin.version in registry.versions(origin.type):
            problems = registry.problems(origin.type, origin.version, event.data) if warned else ()
            top = self._outline(registry, origin.type, origin.version).top
            self.known.profile(origin).look(top, event.data, at, event.id, problems)

    def _broken(self, origin: Origin, data: Any, at: int, letter: str) -> None:
        """Look at an event that breaks its schema; `letter` is its dead letter, empty where nothing of it is stored."""
        registry = self._project().registry
        if origin.version in registry.versions(origin.type):
            problems = registry.problems(origin.type, origin.version, data)
            top = self._outline(registry, origin.type, origin.version).top
            self.known.profile(origin, broken=True).look(top, data, at, letter, problems)

    async def found(self) -> list[tuple[Finding, bool]]:
        """Return what drifted, the latest first, and whether the content in force allows it by now.

        What refused events alone have is told too, as somebody may want to allow it.
        """
        told: dict[str, tuple[Finding, bool]] = {}
        for refused, profiles in ((False, self.known.profiles), (True, self.known.broken)):
            for key, profile in list(profiles.items()):
                for finding, is_settled in self._of_version(key, profile):
                    if not refused:
                        told[finding.id] = finding, is_settled
                    elif finding.breaks:
                        told.setdefault(finding.id, (replace(finding, refused=True), is_settled))
                await asyncio.sleep(0)  # a version that somebody filled on purpose takes 20 ms
        return sorted(told.values(), key=lambda pair: -pair[0].last_seen)

    def _of_version(self, key: Key, profile: Profile) -> Iterator[tuple[Finding, bool]]:
        project, (name, type_, version) = self._project(), key
        spec, since = project.sources.get(name), int(time.time() * 1000) - SHOWN_FOR
        if spec is None or version not in project.registry.versions(type_):
            return
        now = self._outline(project.registry, type_, _in_force(project.registry, spec, type_, version))
        of_version = self._outline(project.registry, type_, version)
        for one in findings(Origin(spec.partner, *key), profile, of_version):
            if one.last_seen > since:
                yield one, settled(one, now)

    def watched(self) -> list[dict[str, Any]]:
        """Return of each source how many of its events were seen and how many looked at, by type and version."""
        sources = self._project().sources
        by_source: dict[str, list[dict[str, Any]]] = {name: [] for name in sources}
        for key in sorted({*self.known.profiles, *self.known.broken}):
            name, type_, version = key
            if name in sources:
                both = [one[key] for one in (self.known.profiles, self.known.broken) if key in one]
                looked, last = sum(one.looked for one in both), max(one.top.sight.last for one in both)
                by_source[name].append({"type": type_, "version": version, "looked_at": looked, "last_seen": last})
        return [
            {
                "partner": spec.partner, "source": name, "seen": self.known.rhythm(name).seen,
                "looked_at": self.known.rhythm(name).looked, "versions": by_source[name],
            }
            for name, spec in sources.items()
        ]  # fmt: skip

    def silences(self, now: int) -> list[Silence]:
        """Return how quiet each source is at a time in Unix milliseconds."""
        return [
            self.known.rhythm(name).silence(name, now, spec.expect) for name, spec in self._project().sources.items()
        ]

    def _outline(self, registry: Registry, type_: str, version: str) -> Outline:
        schema = registry.schema(type_, version)
        known = self._outlines.get((type_, version))
        if known is None or known[0] is not schema:
            known = self._outlines[type_, version] = schema, Outline(schema)
        return known[1]


def _in_force(registry: Registry, spec: SourceSpec, type_: str, version: str) -> str:
    """Return the version that new events of a source are written in, of the same major."""
    pin = spec.pin(type_)
    return pin if pin and major_of(pin) == major_of(version) else registry.newest(type_, major_of(version))


def _seconds(text: str) -> float | None:
    """Return an event's own time as Unix seconds; None for none that can be read."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
