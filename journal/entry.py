"""One line of the journal: what happened to an event at one stage. Packed many to a message on the JOURNAL stream."""

from collections.abc import Sequence
from typing import Any, NamedTuple

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
MATCHED, WAITING = "matched", "waiting"
MEANWHILE = frozenset({RETRIED, WAITING})  # neither says what becomes of a delivery
LETTERED = frozenset({DEAD_LETTERED, QUARANTINED})  # both leave a dead letter
CALLBACK = "callback-"  # how the names of the routes begin that tell a partner of outcomes; content may not use it


class Entry(NamedTuple):
    """One outcome.

    `at` is Unix milliseconds. `raw` is the sequence in RAW, `seq` the one in EVENTS (0 when unknown); for a replay
    both name the first message, not the copy. `ref` is the sequence of what the entry points to: for a duplicate
    the raw event it repeats, for a dead letter its sequence in DLQ. `routes` names the routes (with commas) that
    matched and that the shared feed took on, `behind` those that have fallen behind and will see the event through
    their own consumer. `version` is that of the schema of what the process step made, `keys` what else the event is
    searched by (see `journal.keys`), `who` the person that ordered it.
    """

    # Several of these are made for every event: a frozen dataclass of so many fields takes three times as long.
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
    routes: str = ""
    behind: str = ""
    version: str = ""
    keys: str = ""
    who: str = ""


def of_callback(line: Entry) -> bool:
    """Tell whether an entry is not about an event of a partner, but about telling the partner of one."""
    return (line.route or line.routes or line.behind).startswith(CALLBACK)


_BLANKS = Entry(0, "", "")._asdict()
_entry = tuple.__new__  # `Entry._make` at a third of its cost


def pack(entries: Sequence[Entry]) -> bytes:
    """Write entries as one JSON document of columns; one value stands for a column of equals, nothing for a blank."""
    count = len(entries)
    columns: dict[str, Any] = {}
    for name, column in zip(Entry._fields, zip(*entries, strict=True), strict=False):
        first = column[0]
        if column.count(first) < count:
            columns[name] = column
        elif first:
            columns[name] = first
    return jsontext.dumps({"count": count, "columns": columns})


def unpack(payload: bytes) -> list[Entry]:
    """Read the entries of one message; columns of later versions are ignored."""
    document: dict[str, Any] = jsontext.own_loads(payload)
    if "entries" in document:
        return [_read(item) for item in document["entries"]]
    count, found = document["count"], document["columns"]
    values = (found.get(name, blank) for name, blank in _BLANKS.items())
    columns = [value if type(value) is list else [value] * count for value in values]
    return [_entry(Entry, row) for row in zip(*columns, strict=True)]


def _read(item: dict[str, Any]) -> Entry:
    """Read an entry as it was written before there were columns; such messages stay until their retention passes."""
    return Entry._make(item.get(name, blank) for name, blank in _BLANKS.items())
