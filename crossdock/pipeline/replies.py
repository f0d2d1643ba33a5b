"""What targets answer, as new canonical events: stored before the delivery that brought them is settled."""

from dataclasses import replace

from crossdock.kernel.event import Event, encode_structured
from crossdock.kernel.problems import Problem, Refused, refuse
from crossdock.kernel.stream import RAW_SEQ, SOURCE, Log, Record
from crossdock.pipeline.delivery import Delivery
from crossdock.pipeline.process import MAX_BODY
from crossdock.pipeline.recorder import append_patiently
from crossdock.project import Project
from schemas.spec import uri

_KEPT = ("partner", "businesskey", "traceparent", "tracestate")  # of the event that was answered
_HINT = "the target has taken it; correct `reply` of its connector, then replay: the key stays the same"


class Replies:
    """Stores the replies of one connector as events of one major version of a type."""

    def __init__(self, project: Project, major: int, streams: Log) -> None:
        self._project = project
        self._major = major
        self._streams = streams

    async def store(self, delivery: Delivery, reply: Event) -> tuple[Problem, ...]:
        """Store a reply once, however often it is answered; return what is wrong with one that cannot be an event."""
        try:
            made, body = canonical(self._project, self._major, delivery.event, reply)
        except Refused as error:
            return error.problems
        headers = {name: text for name, text in delivery.message.headers.items() if name in (SOURCE, RAW_SEQ)}
        await append_patiently(self._streams, [Record(f"event.{made.type}", body, f"r{made.id}", headers)])
        return ()


def canonical(project: Project, major: int, asked: Event, reply: Event) -> tuple[Event, bytes]:
    """Return the canonical event that a reply becomes, and its bytes.

    Raises:
        Refused: `reply_invalid`.
    """
    kept = {name: asked.extensions[name] for name in _KEPT if name in asked.extensions}
    try:
        version = project.registry.newest(reply.type, major)
        made = reply._replace(dataschema=uri(reply.type, version), extensions={**kept, "causationid": asked.id})
        project.check(made)
    except Refused as error:
        raise Refused([replace(problem, code="reply_invalid", hint=_HINT) for problem in error.problems]) from None
    body = encode_structured(made)
    if len(body) > MAX_BODY:
        raise refuse("reply_invalid", f"the event has {len(body)} bytes, at most {MAX_BODY}", _HINT)
    return made, body
