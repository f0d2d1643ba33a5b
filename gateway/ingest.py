"""`POST /v1/events`, the hot path: one event of a known key, taken by the server's protocol directly."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from crossdock.kernel.event import BATCH, NDJSON
from crossdock.kernel.problems import Problem, Refused, Unavailable
from crossdock.kernel.tracing import TRACEPARENT, TRACESTATE
from gateway import answers
from gateway.answers import Answer, Headers
from gateway.caller import Caller
from gateway.callers import Callers, key_of
from gateway.intake import Accepted, Intake
from gateway.storing import Storing
from gateway.traffic import Limited, Traffic

Reply = Callable[[Answer], None]
PLAIN = frozenset({"content-type", "authorization", "x-api-key"})
_PLAIN = {name.encode() for name in (*PLAIN, TRACEPARENT, TRACESTATE)}
_LONG = frozenset({b"content-encoding", b"idempotency-key"})
_MANY = (BATCH, NDJSON)
UNAVAILABLE = Problem("unavailable", "the broker did not acknowledge the event", "send it again with the same id")


class Parts(NamedTuple):
    """What takes events, shared by the short way and the long one."""

    callers: Callers
    intake: Intake
    storing: Storing
    traffic: Traffic


class Ingest:
    """Takes single events: check, store, answer."""

    path = b"/v1/events"

    def __init__(self, parts: Parts, body_limit: int) -> None:
        self.body_limit = body_limit
        self._callers, self._intake, self._storing, self._traffic = parts

    def admit(self, head: Mapping[bytes, bytes]) -> Callable[[bytes, Reply], None] | None:
        """Return what takes the body of a plain request; None for batches and for keys not known here."""
        if not _LONG.isdisjoint(head):
            return None
        headers = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in head.items()
            if name in _PLAIN or name.startswith(b"ce-")
        }
        caller = self._callers.known(key_of(headers))
        if caller is None or headers.get("content-type", "").lower().startswith(_MANY):
            return None
        return partial(self.enter, caller, headers)

    def enter(self, caller: Caller, headers: Mapping[str, str], body: bytes, reply: Reply) -> None:
        """Take a CloudEvent in its caller's lane."""
        try:
            self._traffic.enter(caller.partner, caller.concurrent)
        except Limited as error:
            reply(self.limited(error, caller.partner))
            return
        self.take(caller, partial(self._intake.accept, caller, headers, body), partial(self._end, caller, reply))

    def take(self, caller: Caller, accept: Callable[[], Accepted], reply: Reply) -> None:
        """Take one event; `reply` gets the answer once the event is stored or refused."""
        try:
            self._traffic.knock(caller)
            self._traffic.spend_key(caller)
            accepted = accept()
            extra = self._traffic.spend(accepted.source)
            self._storing.submit(accepted, partial(self._told, accepted, extra, reply))
        except Refused as error:
            self._traffic.charge(caller, 1)
            reply(self.refused(error.problems, caller.partner))
        except Limited as error:
            reply(self.limited(error, caller.partner))
        except Unavailable:
            reply(self.refused((UNAVAILABLE,), caller.partner))

    def _end(self, caller: Caller, reply: Reply, answer: Answer) -> None:
        self._traffic.leave(caller.partner)
        reply(answer)

    def refused(self, problems: tuple[Problem, ...], partner: str = "") -> Answer:
        """Return the answer to what is refused, and count it."""
        self._storing.refuse(problems[0].code, partner)
        return answers.problem(problems)

    def limited(self, error: Limited, partner: str = "") -> Answer:
        """Return the answer to what is over a limit, and count it."""
        self._storing.refuse("quota_exceeded", partner)
        return error.answer

    def _told(self, accepted: Accepted, extra: Headers, reply: Reply, word: str | None) -> None:
        if word is None:
            reply(self.refused((UNAVAILABLE,)))
        else:
            reply(answers.taken(accepted.event.id, word, accepted.problems, extra))
