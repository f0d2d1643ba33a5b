"""Hashes and stable ids for maps."""

import hashlib
import uuid
from typing import Any

from crossdock.kernel.expression import Function
from transforms.failures import BadArgumentError, shown, text

_NAMESPACES = {"dns": uuid.NAMESPACE_DNS, "url": uuid.NAMESPACE_URL, "oid": uuid.NAMESPACE_OID}


def sha256(value: Any) -> str:
    """Return the SHA-256 of a text in UTF-8, as 64 hex digits."""
    return hashlib.sha256(text(value).encode()).hexdigest()


def uuid5(namespace: Any, name: Any) -> str:
    """Return the UUID of version 5 (RFC 9562, section 5.5) of a name; equal names have equal ones.

    The namespace is a UUID of your own, or `dns`, `url` or `oid`.

    Raises:
        BadArgumentError: for another namespace.
    """
    try:
        within = _NAMESPACES.get(text(namespace)) or uuid.UUID(text(namespace))
    except ValueError:
        raise BadArgumentError(f"{shown(namespace)} is neither a UUID nor dns, url or oid") from None
    return str(uuid.uuid5(within, text(name)))


FUNCTIONS: dict[str, Function] = {"sha256": sha256, "uuid5": uuid5}
