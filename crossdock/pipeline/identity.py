"""What tells two events apart: the digest of what one says, and the key that its repeats share."""

import hashlib

from crossdock.kernel import jsontext
from crossdock.kernel.event import Event


def content_digest(event: Event) -> str:
    """Return the digest of what an event says, whatever mode it came in; envelope extras do not count."""
    data = event.data if isinstance(event.data, bytes) else jsontext.sorted_dumps(event.data)
    return hashlib.blake2b(event.type.encode() + b"\0" + data, digest_size=10).hexdigest()


def identity_of(partner: str, event: Event, known_by: str | None = None) -> str:
    """Return `(partner, source, id)`, or what its source knows the event by, as one text; no two mean the same."""
    return f"{partner}\0{event.source}\0{event.id}" if known_by is None else f"{partner}\0\0{known_by}"


def dedupe_key(partner: str, event: Event, known_by: str | None = None) -> str:
    """Return the dedupe key of an identity, of bounded length."""
    return hashlib.blake2b(identity_of(partner, event, known_by).encode(), digest_size=16).hexdigest()
