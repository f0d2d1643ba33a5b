"""One message of a batch of the process step, from its bytes to its outcome."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from crossdock.kernel import event as events
from crossdock.kernel.event import Event
from crossdock.kernel.problems import Problem
from crossdock.kernel.stream import DEDUPE, DIGEST, RAW_SEQ, SOURCE, Message, Record, lost
from crossdock.kernel.tracing import NONE, TRACEPARENT, Context, carried
from crossdock.personal import Cover
from crossdock.pipeline.identity import content_digest, dedupe_key
from crossdock.pipeline.ports import Owner
from crossdock.project import Project
from journal.keys import Key
from transforms.lookups import Wait

HOLD_EVERY = 1.0  # seconds of work without a word to the broker, which waits six
BREATH = 0.001  # seconds; what waits to be written and heard gets its turn


@dataclass(slots=True)
class Work:
    """One message of a batch on its way to its outcome; `origin` is its sequence, or that of what it replays."""

    message: Message
    origin: int
    partner: str
    source: str
    event: Event | None = None
    owner: Owner | None = None
    digest: str = ""
    canonical: Event | None = None
    quarantined: bool = False
    problems: tuple[Problem, ...] = ()
    wait: Wait | None = None
    body: bytes = b""
    version: str = ""
    keys: list[Key] = field(default_factory=list)
    trace: Context | None = None

    def read(self) -> None:
        """Decode the message; what is raised says why that cannot be done."""
        try:
            self._read()
        except Exception as error:
            raise lost(self.message) or error from None

    def _read(self) -> None:
        headers = self.message.headers
        if headers["content-type"].lower().startswith(events.STRUCTURED):
            read = events.restore(self.message.payload, partner=self.partner)
        else:
            read = events.decode(headers, self.message.payload).extended(partner=self.partner)
        self.event = read
        self.digest = headers.get(DIGEST) or content_digest(read)

    def key(self, event: Event) -> str:
        """Return what a repeat of the event is known by."""
        known_by = self.message.headers.get(DEDUPE)
        return dedupe_key(self.partner, event, None if known_by is None else unquote(known_by))

    def traced(self) -> Mapping[str, str]:
        """Return the headers that what is made of it goes on with in its trace."""
        if TRACEPARENT not in self.message.headers:
            return NONE
        return self.trace.headers() if self.trace else carried(self.message.headers)

    def told(self, project: Project) -> tuple[Problem, ...]:
        """Return its problems for people, who are not told what its schema calls personal."""
        return Cover(project).problems(self.message.headers, self.event, self.problems)

    def record(self, canonical: Event) -> Record:
        """Return what is stored in EVENTS."""
        headers = {SOURCE: self.source, RAW_SEQ: str(self.origin), **self.traced()}
        return Record(f"event.{canonical.type}", self.body, f"e{self.origin}", headers)


async def each(works: Iterable[Work], act: Callable[[Work], None], extend: Callable[[], Awaitable[None]]) -> None:
    """Act on one after the other; slow ones, as endless loops that were ended, keep the batch and stop nothing else."""
    told = time.monotonic()
    for work in works:
        act(work)
        if time.monotonic() - told > HOLD_EVERY:
            await extend()
            await asyncio.sleep(BREATH)
            told = time.monotonic()
