"""What comes in, taken as the gateway takes it but for the proof of who sent it."""

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from crossdock.contenttest import Arrival
from crossdock.kernel import event as events
from crossdock.kernel import jsontext
from crossdock.kernel.content import did_you_mean
from crossdock.kernel.event import BATCH, STRUCTURED, Event
from crossdock.kernel.problems import Problem, refuse
from crossdock.kernel.stream import DIGEST, EVENT_ID, VERSION, Record
from crossdock.pipeline.identity import content_digest, identity_of
from crossdock.project import Project
from crossdock.source import SourceSpec
from gateway import webhook
from gateway.caller import caller_of
from gateway.intake import Accepted, Intake
from gateway.webhook import Call


class Taken(NamedTuple):
    """An event that the gateway stores: the record in RAW, and what is wrong with it all the same."""

    event: Event
    record: Record
    warnings: tuple[Problem, ...] = ()
    quarantined: bool = False


Take = Callable[[], Taken]


class Member(NamedTuple):
    """One event that comes in: the source it belongs to, what reads it and what takes it."""

    source: str
    read: Callable[[], Event]
    take: Take


def members(project: Project, intake: Intake, arrival: Arrival) -> Iterator[Member]:
    """Yield each event that comes in.

    An event of no source, such as a canonical one, is checked against its schema and taken as it is.

    Raises:
        Refused: `unknown_source`, or what the gateway refuses as a whole.
    """
    media = arrival.headers.get("content-type", "").lower()
    source = _source(project, arrival, media)
    if source is None:
        read = partial(events.decode, arrival.headers, arrival.body)
        yield Member("", read, lambda: _of_no_source(project, read()))
        return
    for body in _bodies(source, arrival, media):
        if source.accept == "webhook" and not media.startswith(STRUCTURED):
            yield _webhook(intake, source, arrival, body)
        else:
            yield _cloudevent(intake, source, arrival, body)


def _source(project: Project, arrival: Arrival, media: str) -> SourceSpec | None:
    if arrival.source:
        if arrival.source not in project.sources:
            hint = did_you_mean(arrival.source, project.sources)
            raise refuse("unknown_source", f"there is no source {arrival.source!r}", hint)
        return project.sources[arrival.source]
    if not media.startswith(STRUCTURED):
        raise refuse("unsupported_media_type", "only a CloudEvent in JSON tells what it is", "name its source")
    event = events.decode_structured(arrival.body)
    fitting = [
        source
        for source in project.sources.values()
        if event.type in dict(source.types) and event.source.startswith(source.match)
    ]
    return fitting[0] if len(fitting) == 1 else None


def _bodies(source: SourceSpec, arrival: Arrival, media: str) -> list[bytes]:
    if media.startswith(BATCH):
        return jsontext.split_array(arrival.body, source.limits.batch)
    if source.accept != "webhook" or media.startswith(STRUCTURED):
        return [arrival.body]
    bodies = webhook.cut(source, _call(arrival))
    if not bodies:
        raise refuse("no_events", "the body carries no event", "see `event` of the source")
    return bodies


def _call(arrival: Arrival) -> Call:
    return Call(arrival.headers, arrival.query, arrival.body)


def _webhook(intake: Intake, source: SourceSpec, arrival: Arrival, body: bytes) -> Member:
    def take() -> Taken:
        event = read()
        return _taken(intake.admit(caller_of([source]), source, event, events.encode_headers(event), body))

    read = partial(webhook.make_event, source, _call(arrival), body)
    return Member(source.name, read, take)


def _cloudevent(intake: Intake, source: SourceSpec, arrival: Arrival, body: bytes) -> Member:
    media = arrival.headers.get("content-type", "")
    headers = {"content-type": STRUCTURED} if media.lower().startswith(BATCH) else arrival.headers

    def take() -> Taken:
        caller = caller_of([source])
        if source.accept != "webhook":
            return _taken(intake.accept(caller, headers, body, source))
        return _taken(intake.admit(caller, source, read(), {"content-type": STRUCTURED}, body))

    read = partial(events.decode, headers, body)  # for a webhook source as its expressions would have made it
    return Member(source.name, read, take)


def _of_no_source(project: Project, event: Event) -> Taken:
    version, digest = project.check(event), content_digest(event)
    headers, body = events.encode_binary(event)
    headers |= {VERSION: version, EVENT_ID: events.header_value(event.id), DIGEST: digest}
    key = hashlib.blake2b(f"{identity_of('', event)}\0{digest}".encode(), digest_size=16).hexdigest()
    return Taken(event, Record("raw..", body, key, headers))


def again(project: Project, intake: Intake, source: str, headers: dict[str, str], body: bytes) -> Member:
    """Return an event that was stored, to be taken once more: as its source would today, its envelope as it was."""
    kept = {name: value for name, value in headers.items() if name == "content-type" or name.startswith("ce-")}
    read = partial(events.decode, kept, body)

    def take() -> Taken:
        if source not in project.sources:
            raise refuse("unknown_source", f"there is no source {source!r} any more")
        spec = project.sources[source]
        return _taken(intake.admit(caller_of([spec]), spec, read(), kept, body))

    return Member(source, read, take)


def _taken(accepted: Accepted) -> Taken:
    return Taken(accepted.event, accepted.record, accepted.problems, accepted.quarantined)
