"""API keys: random, shown once, kept only as a hash. Made by the operations API, checked by the gateway."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Protocol

from crossdock.kernel import jsontext

_PREFIX = "cdk"
_KEY = re.compile(rf"{_PREFIX}_([0-9a-f]{{12}})_[\w-]{{43}}\Z", re.ASCII)
_NOBODY = "0" * 64


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is kept of a key: never the key itself. `created` and `expires` are Unix milliseconds, 0 is never.

    A key sends to its `sources`, or to all of the partner that take API keys, events of its `types`, or all types;
    `status` tells whether it may ask what became of events. `rate` is its own limit in events a second, 0 for none.
    `rolled_to` is the id of its successor, `note` is for people.
    """

    id: str
    partner: str
    digest: str = field(repr=False)
    created: int
    sources: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    status: bool = True
    expires: int = 0
    rate: int = 0
    note: str = ""
    rolled_to: str = ""

    def expired(self, now: int) -> bool:
        """Tell whether the key has ended at a time in Unix milliseconds."""
        return 0 < self.expires <= now


class KeyBook(Protocol):
    """Where keys are kept, shared by all gateways."""

    def find(self, key_id: str) -> KeyRecord | None:
        """Return a key's record from memory, expired or not; revoked keys are gone within a second."""

    async def learn(self, key_id: str) -> None:
        """Ask the store for a key that was not heard of yet, so that a new key works everywhere at once."""

    async def put(self, record: KeyRecord) -> None:
        """Store a new key."""

    async def replace(self, old: KeyRecord, new: KeyRecord) -> bool:
        """Store another record of a key; false when `old` is not what is stored, as after a revocation."""

    async def remove(self, key_id: str) -> bool:
        """Revoke a key; false when there is none."""

    def records(self) -> list[KeyRecord]:
        """Return all keys, expired ones too, oldest first."""


class Uses(Protocol):
    """Where it is kept when each key was last used, shared by all gateways."""

    async def note(self, used: Mapping[str, int]) -> None:
        """Keep when keys (by id) were used, in Unix milliseconds; the latest use counts.

        Raises:
            Unavailable: the store does not answer.
        """

    async def last(self) -> dict[str, int]:
        """Return the last use of every key that was used.

        Raises:
            Unavailable: the store does not answer.
        """


def make_key(partner: str, now: int) -> tuple[str, KeyRecord]:
    """Return a new key and its record. 256 random bits need no slow hash."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return f"{_PREFIX}_{key_id}_{secret}", KeyRecord(key_id, partner, _digest(secret), now)


def roll(old: KeyRecord, now: int, overlap: int) -> tuple[str, KeyRecord, KeyRecord]:
    """Return a successor with the same rights, its record, and the record of the old key.

    The old key ends after `overlap` milliseconds. The successor of one that expires gets as long a life as that had.
    """
    key, fresh = make_key(old.partner, now)
    lives = now + old.expires - old.created if old.expires else 0
    new = replace(old, id=fresh.id, digest=fresh.digest, created=now, expires=lives)
    end = min(now + overlap, old.expires or now + overlap)
    return key, new, replace(old, expires=end, rolled_to=new.id)


def record_of(book: KeyBook, key: str, now: int) -> KeyRecord | None:
    """Return the record of a key, or None for anything that is not a valid key at `now` (Unix milliseconds)."""
    prefix, _, rest = key.partition("_")
    key_id, _, secret = rest.partition("_")
    record = book.find(key_id) if prefix == _PREFIX else None
    same = hmac.compare_digest(record.digest if record else _NOBODY, _digest(secret))  # the same work for unknown ids
    return record if record and same and not record.expired(now) else None


async def look_up(book: KeyBook, key: str, now: int) -> KeyRecord | None:
    """Return the record of a key as `record_of` does, asking the store for one that is new.

    Raises:
        Unavailable: the store does not answer.
    """
    record = record_of(book, key, now)
    shaped = _KEY.match(key)
    if record is None and shaped and book.find(shaped[1]) is None:
        await book.learn(shaped[1])
        record = record_of(book, key, now)
    return record


def read_record(raw: bytes) -> KeyRecord:
    """Read a stored record of any version: what is missing has its default, what is unknown is left out.

    Raises:
        ValueError: it is no record of a key.
    """
    document = jsontext.own_loads(raw)
    try:
        given: dict[str, Any] = {name: document[name] for name in _FIELDS & document.keys()}
        given |= {name: tuple(given[name]) for name in ("sources", "types") if name in given}
        return KeyRecord(**given)
    except (AttributeError, TypeError) as error:
        raise ValueError(f"no record of a key: {error}") from None


_FIELDS = {item.name for item in fields(KeyRecord)}


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
