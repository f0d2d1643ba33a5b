"""One line of the journal: what happened to an event at one stage. Packed many to a message on the JOURNAL stream."""

from array import array
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


def takes_back(line: Entry) -> bool:
    """Tell whether an entry says that a replay which was recorded before was not sent."""
    return line.stage == REPLAY and line.outcome == WAITING


def storable(text: str) -> str:
    """Return a text with a mark in the place of each NUL, which PostgreSQL does not take."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


MOST = 100_000  # entries of one message; equal ones take no room
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
    """Read the entries of one message; columns of later versions are ignored.

    Raises:
        ValueError: it is not what `pack` writes.
    """
    document = jsontext.own_loads(payload)
    try:
        return [_read(item) for item in document["entries"]] if "entries" in document else _rows(document)
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"no entries: {type(error).__name__}: {error}") from None


def _rows(document: dict[str, Any]) -> list[Entry]:
    count, found = document["count"], document["columns"]
    if not 0 <= count <= MOST:
        raise ValueError(f"{count} entries")
    columns = [_column(name, found.get(name, blank), count) for name, blank in _BLANKS.items()]
    return [_entry(Entry, row) for row in zip(*columns, strict=True)]


def _column(name: str, value: Any, count: int) -> list[Any]:
    """Return a column as it can be stored, if it can: what a database refuses would stop all that follows."""
    column = value if type(value) is list else [value]
    if type(_BLANKS[name]) is str:
        if "\0" in "".join(column):  # the quickest way to find what is no text
            column = [storable(text) for text in column]
    else:
        array("q", column)  # which takes whole numbers of 64 bits alone
        if name == "at" and column and min(column) < 0:
            raise ValueError("before 1970")
    return column if type(value) is list else column * count


def _read(item: dict[str, Any]) -> Entry:
    """Read an entry as it was written before there were columns; such messages stay until their retention passes."""
    return Entry._make(_column(name, item.get(name, blank), 1)[0] for name, blank in _BLANKS.items())
