"""What the gateway demands of an event before it is stored, and the form it is stored in."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crossdock.kernel import event as events
from crossdock.kernel import jsontext
from crossdock.kernel.event import Event
from crossdock.kernel.problems import Problem, Refused, refuse
from crossdock.kernel.stream import EVENT_ID, VERSION, Record
from crossdock.pipeline.process import content_digest
from crossdock.project import Project
from crossdock.source import SourceSpec
from gateway.answers import problem_document

MAX_HEADERS = 32 << 10  # bytes; a broker takes 64 KiB, and stages add their own


@dataclass(frozen=True, slots=True)
class Accepted:
    """An event that may be stored, with its source and the record to append to RAW."""

    event: Event
    source: SourceSpec
    record: Record


def accept(project: Project, partner: str, headers: Mapping[str, str], body: bytes) -> Accepted:
    """Decode one event, find its source and check it against its schema.

    Raises:
        Refused: with every problem of the envelope or of the data.
    """
    check_media_type(headers)
    event = events.decode(headers, body)
    if isinstance(event.data, bytes) or not events.is_json(event.datacontenttype):
        raise refuse("unsupported_media_type", f"data must be JSON, not {event.datacontenttype}"[:200])
    if event.type not in project.registry.types():
        raise refuse("unknown_type", f"no event type is called {event.type[:80]}", "see /v1/catalog", pointer="/type")
    source = project.source_for(partner, event.type, event.source)
    version = project.registry.version(event.type, event.dataschema, source.pin(event.type))
    problems = project.registry.problems(event.type, version, event.data)
    if problems:
        raise Refused(problems)
    return Accepted(event, source, _record(partner, source, event, version, headers, body))


def check_media_type(headers: Mapping[str, str]) -> None:
    """Refuse a body that is neither CloudEvents nor JSON.

    Raises:
        Refused: `unsupported_media_type`.
    """
    media = headers.get("content-type", "")
    kind = media.split(";", 1)[0].strip().lower()
    known = kind == events.STRUCTURED if kind.startswith("application/cloudevents") else events.is_json(kind)
    if not known:
        shown = media[:80] or "none"
        hint = f"send {events.STRUCTURED}, {events.BATCH}, or application/json with ce-* headers"
        raise refuse("unsupported_media_type", f"content type {shown}", hint)


def _record(
    partner: str, source: SourceSpec, event: Event, version: str, headers: Mapping[str, str], body: bytes
) -> Record:
    """Return the event as received: its bytes, and of its headers those that belong to the envelope."""
    kept = {"content-type": headers["content-type"]}
    if not headers["content-type"].lower().startswith(events.STRUCTURED):
        kept = {**events.encode_headers(event), **kept}
    kept |= {VERSION: version, EVENT_ID: events.header_value(event.id)}
    identity = f"{partner}\0{event.source}\0{event.id}\0{content_digest(event)}".encode()
    if sum(len(name) + len(value) for name, value in kept.items()) > MAX_HEADERS:
        raise refuse("headers_too_large", f"the attributes take more than {MAX_HEADERS >> 10} KiB as headers")
    key = hashlib.blake2b(identity, digest_size=16).hexdigest()
    return Record(f"raw.{partner}.{source.name}", body, key, kept)


def batch_limit(project: Project, partner: str) -> int:
    """Return how many events a partner may send at once: the most that one of its sources takes."""
    return max((source.batch_limit for source in project.sources.values() if source.partner == partner), default=0)


def check_batch(source: SourceSpec, taken: Counter[str]) -> None:
    """Count one more member of a batch for its source.

    Raises:
        Refused: `batch_too_large`, the source takes no more at once.
    """
    taken[source.name] += 1
    if taken[source.name] > source.batch_limit:
        raise refuse("batch_too_large", f"source {source.name} takes {source.batch_limit} events at once")


def refusal(member: bytes, problems: Sequence[Problem]) -> dict[str, Any]:
    """Return the answer for a refused member of a batch, with its id when it has one."""
    document = problem_document(problems)
    answer = {**document, "code": document["status"], "status": "refused"}
    try:
        given = jsontext.loads(member)
    except Refused:
        return answer
    return {"id": given["id"], **answer} if isinstance(given, dict) and isinstance(given.get("id"), str) else answer


def split_batch(raw: bytes, limit: int) -> list[bytes]:
    """Return the members of a batch, each as its own bytes.

    Raises:
        Refused: not an array, or more members than allowed.
    """
    members = jsontext.split_array(raw)
    if len(members) > limit:
        raise refuse("batch_too_large", f"{len(members)} events; at most {limit} are taken", "send smaller batches")
    return members
