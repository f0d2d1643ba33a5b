"""What the gateway demands of an event before it is stored, and the form it is stored in."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from crossdock.kernel import event as events
from crossdock.kernel.event import Event
from crossdock.kernel.expression import view
from crossdock.kernel.keys import EXPECTED, as_key
from crossdock.kernel.problems import Problem, Refused, refuse
from crossdock.kernel.stream import DEDUPE, DIGEST, EVENT_ID, QUARANTINED, UNREADABLE, VERSION, Record
from crossdock.kernel.tracing import TRACEPARENT, TRACESTATE, carried
from crossdock.personal import Cover
from crossdock.pipeline.identity import content_digest, identity_of
from crossdock.project import Project
from crossdock.source import SourceSpec
from gateway.caller import Caller

_SAID = 500  # characters of why no event could be made
MAX_HEADERS = 32 << 10  # bytes; a broker takes 64 KiB, and stages add their own


Unfit = Callable[[str, str, Event], None]  # gets the name of a source, the version of the schema, and the event


class Accepted(NamedTuple):
    """An event that may be stored, with its source and the record to append to RAW.

    `problems` are those of its schema where the source takes such events all the same, `noted` the same without what is
    personal, for the journal; what is `quarantined` goes no further.
    """

    event: Event
    source: SourceSpec
    record: Record
    problems: tuple[Problem, ...] = ()
    quarantined: bool = False
    noted: tuple[Problem, ...] = ()


class Intake:
    """The rules of one project; what depends on source and type alone is looked up once.

    `unfit` is told of each event that is refused because it breaks its schema.
    """

    def __init__(self, project: Project, unfit: Unfit = lambda *_: None) -> None:
        self._project = project
        self._unfit = unfit
        self._pins: dict[tuple[str, str], str] = {}

    def accept(
        self, caller: Caller, headers: Mapping[str, str], body: bytes, source: SourceSpec | None = None
    ) -> Accepted:
        """Decode one CloudEvent, find its source unless that is known and check it against its schema.

        Raises:
            Refused: with every problem of the envelope or of the data.
        """
        most = caller.body if source is None else source.limits.body
        if len(body) > most:  # before the work of reading it
            raise refuse("body_too_large", f"at most {most} bytes an event are taken from you")
        structured = is_structured(headers.get("content-type", ""))
        event = events.decode(headers, body)
        if isinstance(event.data, bytes) or not events.is_json(event.datacontenttype):
            raise refuse("unsupported_media_type", f"data must be JSON, not {event.datacontenttype}"[:200])
        if event.type not in self._project.registry.by_type:
            hint = "see /v1/catalog"
            raise refuse("unknown_type", f"no event type is called {event.type[:80]}", hint, pointer="/type")
        if source is None:
            source = self._project.source_for(caller.partner, event.type, event.source)
        elif not event.source.startswith(source.match):
            raise refuse("type_not_accepted", f"source must begin with {source.match}", pointer="/source")
        kept = {"content-type": headers["content-type"]}
        if not structured:
            kept = {**events.encode_headers(event), **kept}
        if TRACEPARENT in headers:
            kept |= carried(headers)
        return self.admit(caller, source, event, kept, body)

    def admit(self, caller: Caller, source: SourceSpec, event: Event, kept: dict[str, str], body: bytes) -> Accepted:
        """Check a decoded event; `kept` are the headers to store it with: the envelope, unless that is in `body`.

        Raises:
            Refused: what the caller may not send, or what breaks its schema unless the source takes such events.
        """
        kind, version = event.type, ""
        if source.name not in caller.sources or (caller.types and kind not in caller.types):
            raise refuse("type_not_accepted", f"this credential may not send {kind[:80]}", pointer="/type")
        pin = self._pin(source, kind)
        try:
            version = self._project.registry.version(kind, event.dataschema, pin)
            problems: Sequence[Problem] = self._project.registry.problems(kind, version, event.data)
        except Refused as error:
            if source.on_invalid != "quarantine":
                raise
            problems = error.problems
        if not problems:
            return Accepted(event, source, _record(source, event, version, kept, body))
        if source.on_invalid == "reject":
            self._unfit(source.name, version, event)
            raise Refused(problems)
        quarantined = source.on_invalid == "quarantine"
        if quarantined:
            kept[QUARANTINED] = "1"
        record = _record(source, event, version, kept, body)
        noted = Cover(self._project).problems(kept, event, problems)
        return Accepted(event, source, record, tuple(problems), quarantined, noted)

    def put_aside(self, source: SourceSpec, why: Problem, body: bytes) -> Accepted:
        """Return an event that stands for what none can be made of; it is quarantined, and the same for the same."""
        digest = hashlib.blake2b(body, digest_size=16).hexdigest()
        event = Event(f"unreadable-{digest}", f"/{source.partner}/{source.name}", source.types[0][0], body)
        kept = events.encode_headers(event) | {QUARANTINED: "1", UNREADABLE: events.header_value(_said(why))}
        plain = replace(source, dedupe_key=None)  # which may be what cannot be made
        return Accepted(event, source, _record(plain, event, "", kept, body), (why,), True, (why,))

    def _pin(self, source: SourceSpec, kind: str) -> str:
        pin = self._pins.get((source.name, kind))
        if pin is None:
            known = dict(source.types)
            if kind not in known:
                hint = f"accepted: {', '.join(sorted(known))}"
                raise refuse("type_not_accepted", f"{kind[:80]} is not accepted here", hint, pointer="/type")
            pin = self._pins[source.name, kind] = known[kind]
        return pin


def _said(why: Problem) -> str:
    """Return in words why no event can be made: the code is told where it says more than that."""
    hint = f" ({why.hint})" if why.hint else ""
    return f"{'' if why.code == 'unreadable' else f'{why.code}: '}{why.message}{hint}"[:_SAID]


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
        hint = f"send {events.STRUCTURED}, {events.BATCH}, {events.NDJSON}, or application/json with ce-* headers"
        raise refuse("unsupported_media_type", f"content type {media[:80] or 'none'}", hint)
    return False


def _record(source: SourceSpec, event: Event, version: str, kept: dict[str, str], body: bytes) -> Record:
    """Return the event as received: its bytes, and of its headers those that belong to the envelope."""
    digest = content_digest(event)
    if TRACEPARENT in event.extensions and TRACEPARENT not in kept:
        kept |= carried(_texts(event.extensions))
    kept[VERSION], kept[EVENT_ID], kept[DIGEST] = version, events.header_value(event.id), digest
    known_by = None
    if source.dedupe_key is not None:
        known_by = f"{source.name}\0{_known_by(source, event)}"
        kept[DEDUPE] = events.header_value(known_by)
    if sum(map(len, kept)) + sum(map(len, kept.values())) > MAX_HEADERS:
        raise refuse("headers_too_large", f"the attributes take more than {MAX_HEADERS >> 10} KiB as headers")
    if len(body) > source.limits.body:
        raise refuse("body_too_large", f"source {source.name} takes at most {source.limits.body} bytes an event")
    identity = f"{identity_of(source.partner, event, known_by)}\0{digest}".encode()
    key = hashlib.blake2b(identity, digest_size=16).hexdigest()
    return Record(f"raw.{source.partner}.{source.name}", body, key, kept)


def _texts(extensions: Mapping[str, str | int | bool]) -> dict[str, str]:
    """Return what the distributed tracing extension of CloudEvents says, the context in which the event was made."""
    return {name: str(extensions[name]) for name in (TRACEPARENT, TRACESTATE) if name in extensions}


def _known_by(source: SourceSpec, event: Event) -> str:
    value = as_key(source.dedupe_key.evaluate(view(event))) if source.dedupe_key else None
    if value is None:
        raise refuse("bad_dedupe_key", f"what {source.name} tells its events apart by is not {EXPECTED}")
    return value
