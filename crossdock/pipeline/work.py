"""One message of a batch of the process step, from its bytes to its outcome."""

from dataclasses import dataclass
from urllib.parse import unquote

from crossdock.kernel import event as events
from crossdock.kernel.event import Event
from crossdock.kernel.problems import Problem
from crossdock.kernel.stream import DEDUPE, DIGEST, RAW_SEQ, SOURCE, Message, Record
from crossdock.pipeline.identity import content_digest, dedupe_key
from crossdock.pipeline.ports import Owner
from transforms.lookups import Wait


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

    def read(self) -> None:
        """Decode the message; what is raised says why that cannot be done."""
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

    def record(self, canonical: Event) -> Record:
        """Return what is stored in EVENTS."""
        headers = {SOURCE: self.source, RAW_SEQ: str(self.origin)}
        return Record(f"event.{canonical.type}", self.body, f"e{self.origin}", headers)
