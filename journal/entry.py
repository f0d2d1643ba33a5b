"""One line of the journal: what happened to an event at one stage. Packed many to a message on the JOURNAL stream."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from crossdock.kernel import jsontext

SUBJECT = "journal.entries"

# Stages
GATEWAY, PROCESS, DELIVER, REPLAY = "gateway", "process", "deliver", "replay"
# Outcomes
ACCEPTED, ROUTED, DUPLICATE, DEAD_LETTERED, QUARANTINED = (
    "accepted",
    "routed",
    "duplicate",
    "dead_lettered",
    "quarantined",
)
SKIPPED, DELIVERED, RETRIED, DISCARDED, REPLAYED = "skipped", "delivered", "retried", "discarded", "replayed"


@dataclass(frozen=True, slots=True)
class Entry:
    """One outcome.

    `at` is Unix milliseconds. `raw` is the sequence in RAW, `seq` the one in EVENTS (0 when unknown); for a replay
    both name the first message, not the copy. `ref` is the sequence of what the entry points to: for a duplicate
    the raw event it repeats, for a dead letter its sequence in DLQ.
    """

    at: int
    stage: str
    outcome: str
    partner: str = ""
    source: str = ""
    id: str = ""
    origin: str = ""
    type: str = ""
    raw: int = 0
    seq: int = 0
    route: str = ""
    key: str = ""
    reason: str = ""
    detail: str = ""
    ref: int = 0
    dead_letter: str = ""
    ms: int = 0
    revision: str = ""
    attempts: int = 0


_FIELDS = tuple(field.name for field in fields(Entry))
_KNOWN = frozenset(_FIELDS)


def pack(entries: Iterable[Entry]) -> bytes:
    """Write entries as one JSON document; empty fields are left out."""
    return jsontext.dumps({"entries": [_filled(entry) for entry in entries]})


def _filled(entry: Entry) -> dict[str, str | int]:
    return {name: value for name in _FIELDS if (value := getattr(entry, name))}


def unpack(payload: bytes) -> list[Entry]:
    """Read the entries of one message; fields of later versions are ignored."""
    document: dict[str, Any] = jsontext.own_loads(payload)
    return [Entry(**{k: v for k, v in item.items() if k in _KNOWN}) for item in document["entries"]]
