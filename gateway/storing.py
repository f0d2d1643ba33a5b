"""What happens to an event that may be stored: RAW first, then the journal, then the answer."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import cache, partial

from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Stored
from crossdock.kernel.tracing import Tracer
from crossdock.pipeline.commit import GroupCommit
from crossdock.pipeline.recorder import Recorder, now_ms
from gateway import traced
from gateway.intake import Accepted
from journal import entry
from journal.entry import Entry

log = logging.getLogger(__name__)

ACCEPTED, DUPLICATE, QUARANTINED = "accepted", "duplicate", "quarantined"
SLICE = 100  # events of one request after which others get their turn: less than a millisecond
_SAID = 500  # characters of what is wrong with an event that goes on all the same

Done = Callable[[str | None], None]


class Storing:
    """Stores what was accepted; the word for each is told once it is on disk, or None when it is not."""

    def __init__(
        self, raw: GroupCommit, recorder: Recorder, metrics: Metrics, revision: str, tracer: Tracer | None = None
    ) -> None:
        self._raw = raw
        self._recorder = recorder
        self._revision = revision
        self._traced = partial(traced.begin, tracer, revision) if tracer else None
        self._accepted = cache(metrics.accepted.labels)  # finding a child costs more than counting
        self._rejected = cache(metrics.rejected.labels)
        self._duplicates = cache(metrics.duplicates.labels)
        self._invalid = cache(metrics.invalid.labels)

    def submit(self, accepted: Accepted, done: Done) -> None:
        """Store one event.

        Raises:
            Unavailable: too much waits already.
        """
        if self._traced:
            accepted, done = self._traced(accepted, done)
        self._raw.submit(accepted.record, partial(self._settle, accepted, done))

    async def store(self, events: Sequence[Accepted]) -> list[str | None]:
        """Store what came together."""
        if not self._traced:
            return await self._store(events)
        begun = [self._traced(accepted, _untold) for accepted in events]
        words = await self._store([accepted for accepted, _ in begun])
        for (_, done), word in zip(begun, words, strict=True):
            done(word)
        return words

    async def _store(self, events: Sequence[Accepted]) -> list[str | None]:
        try:
            stored: Sequence[Stored | None] = await self._raw.append_all([accepted.record for accepted in events])
        except Unavailable as error:
            log.warning("batch not stored: %s", error)
            return [None] * len(events)
        noted = set()
        for number, (accepted, result) in enumerate(zip(events, stored, strict=True), 1):
            if number % SLICE == 0:
                await asyncio.sleep(0)
            if result:
                note = self._note(accepted, result)
                noted |= {note} if result.duplicate else set()
        if noted:
            await asyncio.wait(noted)
        return [_word(accepted, result) for accepted, result in zip(events, stored, strict=True)]

    def refuse(self, code: str, partner: str = "") -> None:
        """Count an event or a request that is refused; the partner is empty where nobody can tell."""
        self._rejected(code, partner).inc()

    def _settle(self, accepted: Accepted, done: Done, outcome: Stored | Unavailable) -> None:
        """Tell what became of one event; the record of a repeat is waited for, as that is nowhere else."""
        if isinstance(outcome, Unavailable):
            done(None)
            return
        noted = self._note(accepted, outcome)
        if outcome.duplicate:
            noted.add_done_callback(lambda _: done(DUPLICATE))
        else:
            done(_word(accepted, outcome))

    def _note(self, accepted: Accepted, stored: Stored) -> "asyncio.Future[None]":
        """Count an event and record what became of it."""
        event, source, repeat = accepted.event, accepted.source, stored.duplicate
        detail = ""
        if repeat:
            self._duplicates(source.name, entry.GATEWAY).inc()
            detail = f"repeats raw event {stored.seq}"
        else:
            self._accepted(source.name).inc()
            if accepted.problems:
                self._invalid(source.name, source.on_invalid).inc()
                said = "; ".join(f"{problem.pointer} {problem.message}".strip() for problem in accepted.noted)
                detail = f"breaks its schema: {said}"[:_SAID]
        return self._recorder.note(
            Entry(
                at=now_ms(),
                stage=entry.GATEWAY,
                outcome=entry.DUPLICATE if repeat else entry.ACCEPTED,
                partner=source.partner,
                source=source.name,
                id=event.id,
                origin=event.source,
                type=event.type,
                raw=stored.seq,
                ref=stored.seq if repeat else 0,
                detail=detail,
                revision=self._revision,
            )
        )


def _untold(word: str | None) -> None:
    """Nobody waits for one of a lot."""


def _word(accepted: Accepted, stored: Stored | None) -> str | None:
    if stored is None:
        return None
    return DUPLICATE if stored.duplicate else QUARANTINED if accepted.quarantined else ACCEPTED
