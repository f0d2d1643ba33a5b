"""What an event is searched by besides its id and its business key: kinds and values, as an entry carries them."""

from collections.abc import Iterable

from crossdock.kernel import jsontext
from journal.entry import DELIVER, Entry, storable

ID, BUSINESS_KEY = "id", "key"
MOST = 64  # keys of one event: a line of a catalogue with thousands of articles is not looked for by each of them
LONGEST = 400  # characters that are compared: what an index of PostgreSQL takes at most are 2,700 bytes

Key = tuple[str, str]


def write(keys: Iterable[Key]) -> str:
    """Return kinds and values as the text of an entry; empty for none."""
    found = list(dict.fromkeys(keys))[:MOST]
    return jsontext.dumps(found).decode() if found else ""


def read(text: str) -> list[Key]:
    """Return what `write` was given, as a database takes it."""
    found = [(kind, value) for kind, value in jsontext.own_loads(text.encode())] if text else []
    return [(kind, storable(value)) for kind, value in found] if r"\u0000" in text else found


def key_rows(lines: Iterable[Entry]) -> set[tuple[str, int, str, str]]:
    """Return by what the events of some entries are found: value, sequence in RAW, kind and partner.

    Every event has an entry before its deliveries.
    """
    found = set()
    for line in lines:
        if line.stage == DELIVER:
            continue
        raw, partner = line.raw, line.partner
        if line.id:
            found.add((line.id[:LONGEST], raw, ID, partner))
        if line.key:
            found.add((line.key[:LONGEST], raw, BUSINESS_KEY, partner))
        if line.keys:
            found.update((value[:LONGEST], raw, kind, partner) for kind, value in read(line.keys))
    return found
