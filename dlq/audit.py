"""The audit log: every act of a person, each entry with the hash of the one before, so that a change is found."""

import hashlib
import logging
import re
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from crossdock.kernel import jsontext
from crossdock.kernel.problems import Problem, refuse

log = logging.getLogger(__name__)

NONE = "0" * 64  # what stands before the first entry
PAGE, MOST_PAGES = 1000, 20
MOST_PROBLEMS = 100
NO_HASH = "not a hash of 64 hex digits"
_HASH = re.compile("[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act: who did what to what, and from which address; `at` is Unix milliseconds.

    `number` counts from 1 and is the sequence in the stream. `before` is the hash of the entry before, `hash` is
    SHA-256, in hexadecimal, over the canonical JSON (RFC 8785) of all other fields. Values of `detail` are texts, whole
    numbers, truth values, lists and objects of these, as other numbers have more than one way to be written.
    """

    number: int
    at: int
    who: str
    address: str
    act: str
    on: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    before: str = NONE
    hash: str = ""

    def sealed(self) -> "AuditEntry":
        """Return it with its hash."""
        return AuditEntry(**{**asdict(self), "hash": self.digest()})

    def digest(self) -> str:
        """Return the hash that an unchanged entry has."""
        document = {name: value for name, value in asdict(self).items() if name != "hash"}
        return hashlib.sha256(jsontext.sorted_dumps(document)).hexdigest()

    def encode(self) -> bytes:
        """Return it as it is stored: canonical JSON too, so that one entry is one text."""
        return jsontext.sorted_dumps(asdict(self))


def is_hash(text: str) -> bool:
    """Return whether an entry can have this hash."""
    return _HASH.fullmatch(text) is not None


def decode(stored: bytes) -> AuditEntry:
    """Read an entry from its stored form.

    Raises:
        Refused: `audit_changed`, when that is not the text of an entry whose hash is right.
    """
    try:
        entry = AuditEntry(**jsontext.own_loads(stored))
        whole = entry.encode() == stored and entry.digest() == entry.hash
    except (ValueError, TypeError):
        whole = False
    if not whole:
        raise refuse("audit_changed", "its hash is not that of what it says")
    return entry


class AuditStore(Protocol):
    """Where the entries are: appended to, and never changed by us.

    Every method raises Unavailable when the store does not answer; an entry may be appended all the same.
    """

    async def last(self) -> tuple[int, bytes | None]:
        """Return the last sequence that was given, 0 for none, and what is stored there, None for nothing."""

    async def append(self, stored: bytes, after: int) -> bool:
        """Store an entry right after a sequence; false when another one is there already."""

    async def page(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        """Return the next entries after a sequence, oldest first, each with its own; none at the end."""


class Audit:
    """Writes the log; many processes may do so at once."""

    def __init__(self, store: AuditStore) -> None:
        self._store = store

    async def note(self, who: str, address: str, act: str, on: str, detail: Mapping[str, Any]) -> AuditEntry:
        """Append what a person orders; whoever calls does it afterwards, so what cannot be noted is not done.

        Raises:
            Unavailable: the store does not answer.
        """
        while True:
            seq, stored = await self._store.last()
            now = int(time.time() * 1000)
            entry = AuditEntry(seq + 1, now, who, address, act, on, detail, _hash_of(stored)).sealed()
            if await self._store.append(entry.encode(), seq):
                log.info("audit: %d %s by %s, hash %s", entry.number, act, who, entry.hash)
                return entry

    async def _pages(self) -> AsyncIterator[list[tuple[int, bytes]]]:
        after = 0
        while page := await self._store.page(after, PAGE):
            yield page
            after = page[-1][0]

    async def newest(self, limit: int, before: int = 0, who: str = "", act: str = "") -> tuple[list[AuditEntry], int]:
        """Return the last entries before a number, 0 for the end, newest first; what was changed is left out.

        At most 20,000 are looked at. The number that is returned too is what to go on `before`, 0 where that is all.

        Raises:
            Unavailable: the store does not answer.
        """
        found: list[AuditEntry] = []
        end = before or (await self._store.last())[0] + 1
        last = max(1, end - MOST_PAGES * PAGE)
        while end > last and len(found) < limit:
            start = max(0, end - PAGE - 1)
            page = [(seq, stored) for seq, stored in await self._store.page(start, PAGE) if seq < end]
            entries = [entry for _, entry in _readable(reversed(page))]
            found += [one for one in entries if who in ("", one.who) and act in ("", one.act)]
            end = start + 1
        after = found[limit - 1].number if len(found) >= limit else end
        return found[:limit], after if after > 1 else 0

    async def verify(self, known: str = "") -> "Verdict":
        """Follow the chain from its beginning; `known` is a hash that was seen before and must be in it.

        Raises:
            Unavailable: the store does not answer.
        """
        end, _ = await self._store.last()  # what is appended meanwhile is for the next time
        chain = _Chain()
        async for page in self._pages():
            for seq, stored in page:
                if seq <= end:
                    chain.take(seq, stored)
                    chain.known |= bool(known) and chain.hash == known.lower()
        chain.end(end)
        if known and not chain.known:
            chain.add(end, "audit_rewritten", f"no entry has the hash {known[:80]}, which was seen before")
        return Verdict(chain.count, chain.hash, tuple(chain.problems))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a verification: how many entries, the hash of the last one, and what is wrong, 100 at most."""

    entries: int
    hash: str
    problems: tuple[Problem, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the shape of `audit verify --json`."""
        wrong = [{"number": p.line, "code": p.code, "message": p.message} for p in self.problems]
        return {"valid": not wrong, "entries": self.entries, "hash": self.hash, "problems": wrong}


class _Chain:
    """How far the chain was followed."""

    def __init__(self) -> None:
        self.count, self.hash, self.known = 0, NONE, False
        self.problems: list[Problem] = []
        self._seq = 0
        self._whole = True  # whether what stands before is an entry to which the next can be held

    def take(self, seq: int, stored: bytes) -> None:
        """Look at the next entry that is stored."""
        self._missing(seq)
        self._seq, self.count = seq, self.count + 1
        found = next(_readable([(seq, stored)]), None)
        if found is None:
            self.add(seq, "audit_changed", "it was changed: its hash is not that of what it says")
            self._whole = False
            return
        entry = found[1]
        if entry.number != seq:
            self.add(seq, "audit_moved", f"entry {entry.number} stands here")
        elif self._whole and entry.before != self.hash:
            self.add(seq, "audit_broken", "it was made after another entry than the one that stands before it")
        self.hash, self._whole = entry.hash, entry.number == seq

    def end(self, last: int) -> None:
        """Say what is missing at the end."""
        self._missing(last + 1)

    def _missing(self, seq: int) -> None:
        if seq > self._seq + 1:
            gone = f"entry {seq - 1} was" if seq == self._seq + 2 else f"entries {self._seq + 1} to {seq - 1} were"
            self.add(self._seq + 1, "audit_removed", f"{gone} removed")
            self._whole = False

    def add(self, number: int, code: str, message: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(code, message, line=number))


def _readable(stored: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, AuditEntry]]:
    for seq, raw in stored:
        try:
            yield seq, decode(raw)
        except Exception as error:  # whoever could change the log could write anything there
            log.warning("audit: entry %d: %s", seq, error)


def _hash_of(stored: bytes | None) -> str:
    """Return what the next entry names; one that was changed or removed is none, and `verify` tells of it."""
    found = next(_readable([(0, stored)]), None) if stored is not None else None
    return found[1].hash if found else NONE
