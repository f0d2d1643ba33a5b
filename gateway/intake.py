"""What the gateway demands of an event before it is stored, and the form it is stored in."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from crossdock.kernel import event as events
from crossdock.kernel.event import Event
from crossdock.kernel.problems import Refused, refuse
from crossdock.kernel.stream import DIGEST, EVENT_ID, VERSION, Record
from crossdock.pipeline.process import content_digest
from crossdock.project import Project
from crossdock.source import SourceSpec

MAX_HEADERS = 32 << 10  # bytes; a broker takes 64 KiB, and stages add their own


class Accepted(NamedTuple):
    """An event that may be stored, with its source and the record to append to RAW."""

    event: Event
    source: SourceSpec
    record: Record


class Intake:
    """The rules of one project; what depends on source and type alone is looked up once."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._pins: dict[tuple[str, str], str] = {}

    def accept(self, partner: str, headers: Mapping[str, str], body: bytes) -> Accepted:
        """Decode one event, find its source and check it against its schema.

        Raises:
            Refused: with every problem of the envelope or of the data.
        """
        structured = is_structured(headers.get("content-type", ""))
        event = events.decode(headers, body)
        if isinstance(event.data, bytes) or not events.is_json(event.datacontenttype):
            raise refuse("unsupported_media_type", f"data must be JSON, not {event.datacontenttype}"[:200])
        registry, kind = self._project.registry, event.type
        if kind not in registry.by_type:
            raise refuse("unknown_type", f"no event type is called {kind[:80]}", "see /v1/catalog", pointer="/type")
        source = self._project.source_for(partner, kind, event.source)
        version = registry.version(kind, event.dataschema, self._pin(source, kind))
        problems = registry.problems(kind, version, event.data)
        if problems:
            raise Refused(problems)
        kept = {"content-type": headers["content-type"]}
        if not structured:
            kept = {**events.encode_headers(event), **kept}
        return Accepted(event, source, _record(source, event, version, kept, body))

    def _pin(self, source: SourceSpec, kind: str) -> str:
        pin = self._pins.get((source.name, kind))
        if pin is None:
            pin = self._pins[source.name, kind] = source.pin(kind)
        return pin


def accept(project: Project, partner: str, headers: Mapping[str, str], body: bytes) -> Accepted:
    """Accept one event where there is no more to come; see `Intake.accept`."""
    return Intake(project).accept(partner, headers, body)


@lru_cache(64)
def is_structured(media: str) -> bool:
    """Tell whether a body is a whole event, or only its data.

    Raises:
        Refused: `unsupported_media_type`, neither CloudEvents nor JSON.
    """
    kind = media.split(";", 1)[0].strip().lower()
    if kind == events.STRUCTURED:
        return True
    if kind.startswith("application/cloudevents") or not events.is_json(kind):
        hint = f"send {events.STRUCTURED}, {events.BATCH}, or application/json with ce-* headers"
        raise refuse("unsupported_media_type", f"content type {media[:80] or 'none'}", hint)
    return False


def _record(source: SourceSpec, event: Event, version: str, kept: dict[str, str], body: bytes) -> Record:
    """Return the event as received: its bytes, and of its headers those that belong to the envelope."""
    digest = content_digest(event)
    kept[VERSION], kept[EVENT_ID], kept[DIGEST] = version, events.header_value(event.id), digest
    if sum(map(len, kept)) + sum(map(len, kept.values())) > MAX_HEADERS:
        raise refuse("headers_too_large", f"the attributes take more than {MAX_HEADERS >> 10} KiB as headers")
    if len(body) > source.body_limit:
        raise refuse("body_too_large", f"source {source.name} takes at most {source.body_limit} bytes an event")
    identity = f"{source.partner}\0{event.source}\0{event.id}\0{digest}".encode()
    key = hashlib.blake2b(identity, digest_size=16).hexdigest()
    return Record(f"raw.{source.partner}.{source.name}", body, key, kept)
