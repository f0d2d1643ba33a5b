"""The process step: a batch from RAW through dedupe, transform and canonical check to EVENTS, DLQ and JOURNAL."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import unquote

from crossdock.kernel import event as events
from crossdock.kernel.event import Event
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Problem, Refused, Unavailable, refuse
from crossdock.kernel.stream import AGAIN, DEAD_LETTER, EVENT_ID, QUARANTINED, UNREADABLE, VERSION, Log, Message
from crossdock.kernel.tracing import Tracer
from crossdock.pipeline.again import routed_again, still_failing
from crossdock.pipeline.parking import Note, Parking
from crossdock.pipeline.ports import Claim, Seen
from crossdock.pipeline.recorder import Recorder, append_patiently, now_ms
from crossdock.pipeline.spans import BatchSpans
from crossdock.pipeline.work import Work, each
from crossdock.project import Project
from dlq.record import PROCESS, raw_letter, record
from journal import entry
from journal.entry import Entry
from journal.keys import write
from transforms.lookups import Waiting, tables

log = logging.getLogger(__name__)

STORE_RETRY = 0.5
MAX_BODY = 16 << 20  # bytes of a canonical event; what a source may take, and as much again by a transform

Extend = Callable[[], Awaitable[None]]


class Processor:
    """Runs batches; safe to run again with the same messages at any point."""

    def __init__(
        self,
        project: Project,
        seen: Seen,
        streams: Log,
        recorder: Recorder,
        metrics: Metrics,
        parking: Parking | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self._project = project
        self._seen = seen
        self._streams = streams
        self._recorder = recorder
        self._metrics = metrics
        self._parking, self._tracer = parking, tracer
        self.use(project)

    def use(self, project: Project) -> None:
        """Work by another project from the next batch on; what is parked is looked at with its tables."""
        self._next = project
        if self._parking:
            self._parking.use(tables(project.lookups))

    async def run(self, messages: Sequence[Message], extend: Extend) -> "asyncio.Future[None]":
        """Bring every message to its outcome and store that.

        When the returned future is done it is recorded too and the messages may be acknowledged; the next batch need
        not wait for it.
        """
        started, at, self._project = time.perf_counter(), now_ms(), self._next
        works = [self._decode(message) for message in messages]
        spans = BatchSpans(self._tracer, works) if self._tracer else None
        await self._claim(works, extend)
        await each(works, self._transform, extend)
        await self._settle(works)
        stored = [*await self._store_letters(works, at), *await self._store_events(works, at)]
        self._metrics.process_seconds.observe(time.perf_counter() - started)
        if spans:
            spans.end(self._project.revision)
        return self._recorder.note(*stored, *self._duplicates(works, at))

    def _decode(self, message: Message) -> Work:
        _, partner, source = message.subject.split(".", 2)
        work = Work(message, message.origin, partner, source)
        try:
            work.read()
        except Exception as error:
            work.problems = problems_of(error, work.event.id if work.event else "")
        return work

    async def _claim(self, works: list[Work], extend: Extend) -> None:
        claims = [
            (work, Claim(work.key(event), work.origin, work.digest, self._ttl(work.source)))
            for work in works
            if (event := work.event) is not None
        ]
        while True:
            try:
                owners = await self._seen.claim([claim for _, claim in claims])
                break
            except Unavailable as error:
                log.warning("waiting: %s", error)
                self._metrics.dedupe_waits.inc()
                await extend()
                await asyncio.sleep(STORE_RETRY)
        for (work, _), owner in zip(claims, owners, strict=True):
            if owner.seq == work.origin:
                continue
            work.owner = owner
            if owner.digest != work.digest:
                problem = Problem("id_conflict", f"same id as raw event {owner.seq}, but other content", _CONFLICT_HINT)
                work.problems, work.owner = (problem,), None

    def _pin(self, work: Work) -> str:
        spec = self._project.sources.get(work.source)
        return spec.pin(work.event.type) if spec and work.event else ""

    def _ttl(self, source: str) -> int:
        spec = self._project.sources.get(source)
        return int(spec.dedupe_window) if spec else 7 * 86400

    def _transform(self, work: Work) -> None:
        if work.event is None or work.owner is not None or work.problems:
            return
        try:
            version = work.message.headers[VERSION]
            if QUARANTINED in work.message.headers:
                work.quarantined = True
                if why := work.message.headers.get(UNREADABLE):
                    raise refuse("unreadable", unquote(why), "`unreadable` has what came, or names the file")
                version = self._project.check(work.event, self._pin(work))
                work.quarantined = False  # its schema has changed since
            work.version, work.keys = version, self._project.keys(work.event.type, version, work.event.data)
            made = self._project.canonical(work.event, version)
            if made is not work.event:
                work.version = made.dataschema.rpartition("/")[2]
                work.keys += self._project.keys(made.type, work.version, made.data)
            work.body = events.encode_structured(made)
            if len(work.body) > MAX_BODY:
                raise refuse("too_large", f"the canonical event has {len(work.body)} bytes", f"at most {MAX_BODY}")
            work.canonical = made
        except Exception as error:
            work.problems = problems_of(error, work.event.id if work.event else "")
            work.wait = error.wait if isinstance(error, Waiting) else None

    async def _store_letters(self, works: list[Work], at: int) -> list[Entry]:
        failed = [work for work in works if work.problems]
        letters = [
            raw_letter(
                work.message,
                work.event,
                work.told(self._project),
                partner=work.partner,
                source=work.source,
                at=now_ms(),
                revision=self._project.revision,
            )
            for work in failed
        ]
        seqs = await append_patiently(self._streams, [record(letter) for letter in letters]) if letters else []
        stored = zip(failed, letters, seqs, strict=True)
        await self._park([Note(*work.wait, letter.id, seq) for work, letter, seq in stored if work.wait])
        for source, number in Counter(work.source for work in failed).items():
            self._metrics.dead_letters.labels(PROCESS, source).inc(number)
        lines = (
            self._entry(
                work,
                entry.QUARANTINED if work.quarantined else entry.DEAD_LETTERED,
                at,
                dead_letter=letter.id,
                reason=letter.reason,
                detail=letter.detail,
                ref=seq,
                attempts=letter.attempts,
            )
            for work, letter, seq in zip(failed, letters, seqs, strict=True)
        )
        return [
            one for work, line in zip(failed, lines, strict=True) for one in (line, *still_failing(work.message, line))
        ]

    async def _park(self, notes: list[Note]) -> None:
        if notes and self._parking:
            await self._parking.park(notes)

    async def _settle(self, works: list[Work]) -> None:
        """Let go what was parked, before it is known whether it must wait again."""
        again = [letter for work in works if (letter := work.message.headers.get(DEAD_LETTER))]
        if again and self._parking:
            await self._parking.settle(again)

    async def _store_events(self, works: list[Work], at: int) -> list[Entry]:
        made = [(work, work.canonical) for work in works if work.canonical is not None]
        good = [one for one in made if AGAIN not in one[0].message.headers]
        again = await routed_again(self._streams, self._project, made) if len(good) < len(made) else []
        records = [work.record(canonical) for work, canonical in good]
        seqs = await append_patiently(self._streams, records) if records else []
        for source, number in Counter(work.source for work, _ in good).items():
            self._metrics.routed.labels(source).inc(number)
        return [
            self._entry(work, entry.ROUTED, at, canonical.type, seq=seq, key=business_key(canonical))
            for (work, canonical), seq in (*zip(good, seqs, strict=True), *again)
        ]

    def _duplicates(self, works: list[Work], at: int) -> list[Entry]:
        repeats = [work for work in works if work.owner is not None]
        for source, number in Counter(work.source for work in repeats).items():
            self._metrics.duplicates.labels(source, PROCESS).inc(number)
        return [
            self._entry(work, entry.DUPLICATE, at, ref=owner.seq, detail=f"repeats raw event {owner.seq}")
            for work in repeats
            if (owner := work.owner)
        ]

    def _entry(self, work: Work, outcome: str, at: int, type_: str = "", dead_letter: str = "", **more: Any) -> Entry:
        event, message = work.event, work.message
        return Entry(
            at=at,
            stage=entry.PROCESS,
            outcome=outcome,
            partner=work.partner,
            source=work.source,
            id=event.id if event else unquote(message.headers.get(EVENT_ID, "")),
            origin=event.source if event else "",
            type=type_ or (event.type if event else ""),
            raw=work.origin,
            dead_letter=dead_letter or message.headers.get(DEAD_LETTER, ""),
            ms=max(0, now_ms() - int(message.time * 1000)),
            revision=self._project.revision,
            version=work.version,
            keys=write(work.keys) if work.keys else "",
            **more,
        )


_CONFLICT_HINT = "the sender used one id for two events; give the second its own id and send it again"


def problems_of(error: Exception, event_id: str = "") -> tuple[Problem, ...]:
    """Return why an event became a dead letter; a fault of ours must stop that event and no other."""
    if isinstance(error, Refused):
        return error.problems
    log.error("an event could not be processed", exc_info=error, extra={"event": event_id})
    return (Problem("internal_error", type(error).__name__, "see the worker's log, then replay"),)


def business_key(event: Event) -> str:
    """Return the business key a transform gave the event."""
    return str(event.extensions.get("businesskey", ""))
