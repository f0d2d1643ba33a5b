"""Reading small JSON records that another version may have written, or nobody knows who."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from crossdock.kernel.problems import Unavailable

log = logging.getLogger(__name__)

T = TypeVar("T")
Stored = tuple[bytes, int]
UNFIT = (ValueError, TypeError, LookupError, AttributeError)


def known(kind: type[Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a dataclass has fields for: a later version writes more."""
    return {item.name: document[item.name] for item in fields(kind) if item.name in document}


def unknown(kind: type[Any], document: Mapping[str, Any]) -> set[str]:
    """Return the names that a dataclass has no fields for: who writes it anew must not lose them."""
    return document.keys() - {item.name for item in fields(kind)}


def each(found: Mapping[str, Stored], read: Callable[[bytes, int], T]) -> Iterator[tuple[str, T]]:
    """Yield the records that can be read, each with its name; others are left out and logged."""
    for name, stored in found.items():
        try:
            yield name, read(*stored)
        except UNFIT as error:
            log.warning("the record %s cannot be read: %s", name, type(error).__name__)


def one(name: str, stored: Stored, read: Callable[[bytes, int], T]) -> T:
    """Return a record.

    Raises:
        Unavailable: it cannot be read.
    """
    try:
        return read(*stored)
    except UNFIT as error:
        raise Unavailable(f"the record {name} cannot be read: {type(error).__name__}") from None
