"""A dead letter: the original bytes, why Crossdock gave up, and what it takes to send it again."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any
from urllib.parse import unquote

from crossdock.kernel import jsontext
from crossdock.kernel.event import Event
from crossdock.kernel.problems import Problem
from crossdock.kernel.stream import ACT, BACKFILL, DEAD_LETTER, EVENT_ID, ORIGIN, Message, Record

PROCESS, DELIVER = "process", "deliver"

# What replays stand for: the route, none for a raw event, and the sequence of the first message in EVENTS or RAW.
Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event or delivery that was given up.

    `origin` is the sequence of the first message in RAW (stage process) or EVENTS (stage deliver). `seq` is that
    of the copy that failed last: its own for a first failure. Times are Unix milliseconds. `sent` is the request of
    the last attempt without secrets, `heard` what the target answered to it; both are empty where there was none.
    """

    id: str
    stage: str
    partner: str
    source: str
    route: str
    event_id: str
    type: str
    reason: str
    detail: str
    problems: tuple[dict[str, Any], ...]
    attempts: int
    first_seen: int
    last_seen: int
    origin: int
    seq: int
    subject: str
    headers: Mapping[str, str] = field(default_factory=dict)
    payload: bytes = b""
    key: str = ""
    revision: str = ""
    sent: Mapping[str, Any] = field(default_factory=dict)
    heard: Mapping[str, Any] = field(default_factory=dict)


_FIELDS = {item.name for item in fields(DeadLetter)}


def letter_id(stage: str, name: str, origin: int) -> str:
    """Return the id of the dead letter of one event (stage process) or delivery: the same after every replay."""
    return "dl-" + hashlib.blake2b(f"{stage}/{name}/{origin}".encode(), digest_size=6).hexdigest()


def raw_letter(
    message: Message,
    event: Event | None,
    problems: tuple[Problem, ...],
    *,
    partner: str,
    source: str,
    at: int,
    revision: str,
) -> DeadLetter:
    """Return the dead letter of a raw event at `at` Unix milliseconds; `event` is None when it could not be read."""
    reason, detail, listed = explain(problems)
    return DeadLetter(
        id=letter_id(PROCESS, source, message.origin),
        stage=PROCESS,
        partner=partner,
        source=source,
        route="",
        event_id=event.id if event else unquote(message.headers.get(EVENT_ID, "")),
        type=event.type if event else "",
        reason=reason,
        detail=detail,
        problems=listed,
        attempts=1,
        first_seen=int(message.time * 1000),
        last_seen=at,
        origin=message.origin,
        seq=message.seq,
        subject=message.subject,
        headers=headers_of(message),
        payload=message.payload,
        revision=revision,
    )


def explain(problems: tuple[Problem, ...]) -> tuple[str, str, tuple[dict[str, Any], ...]]:
    """Return reason, detail and the list of problems of a dead letter."""
    listed = tuple({k: v for k, v in problem.as_dict().items() if v} for problem in problems)
    return problems[0].code, "; ".join(map(_said, problems))[:1000], listed


def _said(problem: Problem) -> str:
    hint = f" ({problem.hint})" if problem.hint else ""
    return f"{problem.pointer} {problem.message}{hint}".strip()


def record(letter: DeadLetter) -> Record:
    """Return what is stored in DLQ; a second try to store the same failure is a repeat."""
    document = asdict(letter)
    payload = document.pop("payload")
    document |= _readable(payload)
    name = letter.route or letter.source
    key = f"{letter.stage}/{name}/{letter.origin}/{letter.seq}"
    return Record(f"dlq.{letter.stage}.{name}", jsontext.dumps(document), key)


def _readable(payload: bytes) -> dict[str, str]:
    """Return the payload as text where that keeps it exactly and costs no more than base64 does."""
    encoded = {"payload_base64": base64.b64encode(payload).decode()}
    try:
        text = {"payload": payload.decode()}
    except UnicodeDecodeError:
        return encoded
    return text if len(jsontext.dumps(text)) <= len(jsontext.dumps(encoded)) else encoded


def parse(stored: bytes) -> DeadLetter:
    """Read a dead letter from its stored form."""
    document = jsontext.loads(stored)
    encoded = document.pop("payload_base64", None)
    payload = base64.b64decode(encoded) if encoded is not None else document["payload"].encode()
    known = {k: v for k, v in document.items() if k in _FIELDS}
    return DeadLetter(**{**known, "payload": payload, "problems": tuple(document["problems"])})


def replay(letter: DeadLetter, attempt: str, act: str = "") -> Record:
    """Return the record that sends it through again, under a message id of its own; `act` is whose it is."""
    headers = {k: v for k, v in letter.headers.items() if not k.startswith("Nats-")}
    headers |= {ORIGIN: str(letter.origin), DEAD_LETTER: letter.id} | ({ACT: act} if act else {})
    subject = letter.subject if letter.stage == PROCESS else f"replay.{letter.route}"
    return Record(subject, letter.payload, f"{letter.id}/{attempt}", headers)


def place_of(letter: DeadLetter) -> Place:
    """Return what the replays of a dead letter stand for."""
    return letter.route, letter.origin


def headers_of(message: Message) -> dict[str, str]:
    """Return the headers of a message worth keeping in a dead letter."""
    of_copies = (ORIGIN, DEAD_LETTER, BACKFILL, ACT)
    return {k: v for k, v in message.headers.items() if not k.startswith("Nats-") and k not in of_copies}
