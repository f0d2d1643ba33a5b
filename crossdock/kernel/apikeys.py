"""API keys: random, shown once, kept only as a hash. Made by the operations API, checked by the gateway."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Protocol

_PREFIX = "cdk"
_KEY = re.compile(rf"{_PREFIX}_([0-9a-f]{{12}})_[\w-]{{43}}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is kept of a key: never the key itself. `created` is Unix milliseconds."""

    id: str
    partner: str
    digest: str
    created: int


class KeyBook(Protocol):
    """Where keys are kept, shared by all gateways."""

    def find(self, key_id: str) -> KeyRecord | None:
        """Return a key's record from memory; revoked keys are gone within a second."""

    async def learn(self, key_id: str) -> None:
        """Ask the store for a key that was not heard of yet, so that a new key works everywhere at once."""

    async def put(self, record: KeyRecord) -> None:
        """Store a new key."""

    async def remove(self, key_id: str) -> bool:
        """Revoke a key; false when there is none."""

    def records(self) -> list[KeyRecord]:
        """Return all keys."""


def make_key(partner: str, now: int) -> tuple[str, KeyRecord]:
    """Return a new key and its record. 256 random bits need no slow hash."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return f"{_PREFIX}_{key_id}_{secret}", KeyRecord(key_id, partner, _digest(secret), now)


def partner_of(book: KeyBook, key: str) -> str | None:
    """Return whose key it is, or None for anything that is not a valid key."""
    prefix, _, rest = key.partition("_")
    key_id, _, secret = rest.partition("_")
    record = book.find(key_id) if prefix == _PREFIX else None
    known = record.digest if record else "0" * 64
    same = hmac.compare_digest(known, _digest(secret))  # the same work for unknown ids
    return record.partner if record and same else None


async def authenticate(book: KeyBook, key: str) -> str | None:
    """Return whose key it is, asking the store for one that is new."""
    partner = partner_of(book, key)
    shaped = _KEY.match(key)
    if partner is None and shaped and book.find(shaped[1]) is None:
        await book.learn(shaped[1])
        partner = partner_of(book, key)
    return partner


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
