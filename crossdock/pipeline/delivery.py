"""One event for one route: its identity at the target, its journal lines and its dead letter."""

import hashlib
import time
from dataclasses import dataclass, field

from connectors.port import Result
from crossdock.kernel.event import Event
from crossdock.kernel.problems import Problem
from crossdock.kernel.stream import DEAD_LETTER, RAW_SEQ, SOURCE, Message
from crossdock.pipeline.hands import Share
from crossdock.pipeline.process import business_key
from crossdock.pipeline.recorder import now_ms
from dlq.record import DELIVER, DeadLetter, explain, headers_of, letter_id
from journal.entry import DELIVER as STAGE
from journal.entry import Entry
from routes.spec import Route


@dataclass(slots=True)
class Delivery:
    """One event for a route, on its way.

    `key` is what must stay in order, empty for none; `share` is its part in a message that is to be acknowledged;
    `taken` is in monotonic seconds.
    """

    message: Message
    event: Event
    key: str = ""
    share: Share | None = None
    taken: float = field(default_factory=time.monotonic)
    attempts: int = 0
    last: Result | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def partner(self) -> str:
        """The partner the event came from."""
        return str(self.event.extensions.get("partner", ""))


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


def dead_letter(route: Route, delivery: Delivery, revision: str) -> DeadLetter:
    """Return the dead letter of a delivery that is given up."""
    message, event = delivery.message, delivery.event
    reason, detail, problems = explain(delivery.problems or (_gave_up(route, delivery.last),))
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
        revision=revision,
    )


def _gave_up(route: Route, last: Result | None) -> Problem:
    if last is not None and last.outcome == "permanent":
        return Problem("refused", last.detail, "correct the cause at the target or in the event, then replay")
    why = last.detail if last else "the breaker was open, nothing was sent"
    return Problem("retries_ended", why, f"gave up after {route.retry.age:g} s; replay when the target is back")
