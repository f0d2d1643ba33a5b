"""One event for one route: its identity at the target, its journal lines and its dead letter."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.port import Result
from crossdock.kernel.event import Event
from crossdock.kernel.problems import Problem
from crossdock.kernel.stream import DEAD_LETTER, RAW_SEQ, SOURCE, Message
from crossdock.kernel.units import duration
from crossdock.pipeline.hands import Share
from crossdock.pipeline.process import business_key
from crossdock.pipeline.recorder import now_ms
from dlq.record import DELIVER, DeadLetter, explain, headers_of, letter_id
from journal.entry import DELIVER as STAGE
from journal.entry import Entry
from routes.match import Reference, age
from routes.spec import Route

IN_DOUBT = "in doubt: may have been applied"


@dataclass(slots=True)
class Delivery:
    """One event for a route, on its way.

    `key` is what must stay in order, empty for none; `share` is its part in a message that is to be acknowledged;
    `taken` is in monotonic seconds; `revision` is that of the last attempt, empty before the first. `doubted` says that
    an attempt of this process may have been applied though no answer came. `after` are the events that must have
    reached the connector before, `freed` is when the wait for them ended (Unix seconds, 0 before that), `parked` is
    true while it waits.
    """

    message: Message
    event: Event
    key: str = ""
    share: Share | None = None
    taken: float = field(default_factory=time.monotonic)
    attempts: int = 0
    last: Result | None = None
    problems: tuple[Problem, ...] = ()
    revision: str = ""
    doubted: bool = False
    after: tuple[Reference, ...] = ()
    freed: float = 0.0
    parked: bool = False

    @property
    def partner(self) -> str:
        """The partner the event came from."""
        return str(self.event.extensions.get("partner", ""))

    @property
    def source(self) -> str:
        """The name of the source that took the event."""
        return self.message.headers.get(SOURCE, "")


def idempotency_key(route: str, event: Event) -> str:
    """Return the key that all attempts and replays of an event for a route carry."""
    text = f"{event.extensions.get('partner', '')}\0{event.source}\0{event.id}\0{route}"
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def journal_line(route: str, delivery: Delivery, outcome: str, revision: str, detail: str = "") -> Entry:
    """Return the journal entry of an outcome at this stage."""
    message, event, now = delivery.message, delivery.event, now_ms()
    headers = message.headers
    return Entry(
        at=now,
        stage=STAGE,
        outcome=outcome,
        partner=delivery.partner,
        source=headers.get(SOURCE, ""),
        id=event.id,
        origin=event.source,
        type=event.type,
        raw=int(headers.get(RAW_SEQ, 0)),
        seq=message.origin,
        route=route,
        key=business_key(event),
        detail=detail,
        dead_letter=_letter_of(route, message),
        ms=max(0, now - int(message.time * 1000)),
        revision=revision,
    )


def _letter_of(route: str, message: Message) -> str:
    """Return the dead letter this delivery ends: that of a replay, or one stored by a worker that then died."""
    again = letter_id(DELIVER, route, message.origin) if message.deliveries > 1 else ""
    return message.headers.get(DEAD_LETTER, again)


def refer(line: Entry, letter: DeadLetter, seq: int) -> Entry:
    """Return the journal entry of a delivery that is given up, naming its dead letter, stored under `seq`."""
    return line._replace(
        reason=letter.reason, detail=letter.detail, dead_letter=letter.id, ref=seq, attempts=letter.attempts
    )


def dead_letter(route: Route, delivery: Delivery, sent: Mapping[str, Any]) -> DeadLetter:
    """Return the dead letter of a delivery that is given up for its problems; `sent` is its last request."""
    message, event, last = delivery.message, delivery.event, delivery.last
    reason, detail, problems = explain(delivery.problems)
    return DeadLetter(
        id=letter_id(DELIVER, route.name, message.origin),
        stage=DELIVER,
        partner=delivery.partner,
        source=message.headers.get(SOURCE, ""),
        route=route.name,
        event_id=event.id,
        type=event.type,
        reason=reason,
        detail=detail,
        problems=problems,
        attempts=delivery.attempts,
        first_seen=int(message.time * 1000),
        last_seen=now_ms(),
        origin=message.origin,
        seq=message.seq,
        subject=message.subject,
        headers=headers_of(message),
        payload=message.payload,
        key=business_key(event),
        revision=delivery.revision,
        sent=sent,
        heard=last.heard._asdict() if last and last.heard else {},
    )


def left(route: Route, delivery: Delivery, now: float, ages_from: float) -> float:
    """Return the seconds until an event has expired, or until its retries end: by age, but not before `ages_from`.

    What it had to wait for other events does not age it. All in Unix seconds. What a person replays does not expire.
    """
    message = delivery.message
    retries = max(message.time + route.delay, ages_from, delivery.freed) + route.retry.age - now
    return min(retries, expires(route, delivery) - now) if route.expire else retries


def expires(route: Route, delivery: Delivery) -> float:
    """Return when an event is too old for its route, in Unix seconds."""
    message = delivery.message
    if not route.expire or message.seq != message.origin:
        return float("inf")
    return age(delivery.event, message.time) + route.expire


def said(result: Result) -> str:
    """Return what came of an attempt, for people."""
    return f"{IN_DOUBT}: {result.detail}" if result.outcome == "in_doubt" else result.detail


def given_up(route: Route, delivery: Delivery, now: float) -> Problem:
    """Return why a delivery without problems of its own is given up."""
    last = delivery.last
    told = _last_words(delivery)
    if last is not None and last.outcome == "permanent":
        return Problem("refused", told, "correct the cause at the target or in the event, then replay")
    if expires(route, delivery) <= now:
        why = f"older than {duration(route.expire)}" + (f"; {told}" if last else "")
        return Problem("expired", why, "a replay sends it all the same")
    if delivery.doubted:
        hint = "look whether the target has it; a replay carries the same Idempotency-Key"
        return Problem("in_doubt", told, f"gave up after {route.retry.age:g} s; {hint}")
    why = told or "the breaker was open, nothing was sent"
    return Problem("retries_ended", why, f"gave up after {route.retry.age:g} s; replay when the target is back")


def _last_words(delivery: Delivery) -> str:
    """Return what came of the last attempt, and whether an earlier one may have been applied."""
    last = delivery.last
    if last is None:
        return ""
    earlier = delivery.doubted and last.outcome != "in_doubt"
    return f"{said(last)}; an earlier attempt is {IN_DOUBT}" if earlier else said(last)
