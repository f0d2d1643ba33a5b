"""What CloudEvents 1.0 and we demand of the attributes of an event; the codec in `crossdock.kernel.event` asks."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from crossdock.kernel.problems import Problem

CORE = ("id", "source", "type", "time", "subject", "dataschema", "datacontenttype")
REQUIRED = ("id", "source", "type")
_REQUIRED = frozenset(REQUIRED)
_EPOCH, _JSON = "1970-01-01T00:00:00Z", "application/json"
MAX_ATTRIBUTE = 1024  # bytes of one attribute; keeps subjects, keys and headers bounded
MAX_PROBLEMS = 100  # told of one event

_NAME = re.compile(r"[a-z0-9]{1,64}\Z")
_TIME = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)\Z"
)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
# It becomes a header as it stands, and there the type of a whole event would mean structured mode.
_MEDIA_TYPE = re.compile(r"(?!(?i:application/cloudevents))[!-~]+/[!-~]+( *;[ !-~]*)?\Z")


def clearly_fine(attributes: Mapping[str, Any]) -> bool:
    """Tell cheaply that no attribute is wrong, which is so for almost every event; all others are looked at in turn."""
    try:
        text = "".join(attributes.values())
    except TypeError:
        return False
    return (
        text.isascii() and text.isprintable() and len(text) <= MAX_ATTRIBUTE
        and "" not in attributes.values()
        and attributes.keys() >= _REQUIRED and "data" not in attributes and all(map(_NAME.match, attributes))
        and _TIME.match(attributes.get("time", _EPOCH)) is not None
        and _MEDIA_TYPE.match(attributes.get("datacontenttype", _JSON)) is not None
    )  # fmt: skip


def problems(attributes: Mapping[str, Any]) -> Iterable[Problem]:
    """Return everything that is wrong with the attributes of an event; `specversion` is not among them."""
    for name in REQUIRED:
        if name not in attributes:
            yield Problem("invalid_envelope", f"{name} is required", pointer=f"/{name}", rule="required")
    for name, value in attributes.items():
        yield from _attribute_problems(name, value)


def _attribute_problems(name: str, value: Any) -> Iterable[Problem]:
    pointer = f"/{name}"[:80]
    if not _NAME.match(name) or name == "data":
        yield Problem("invalid_envelope", "attribute names are a-z and 0-9", pointer=pointer)
    elif name in CORE and not isinstance(value, str):
        yield Problem("invalid_envelope", f"{name} must be a string", pointer=pointer, rule="type")
    elif isinstance(value, str):
        yield from _string_problems(name, value, pointer)
    elif not isinstance(value, bool | int):
        yield Problem("invalid_envelope", f"{name} must be a string, integer or boolean", pointer=pointer, rule="type")
    elif not -(2**31) <= value < 2**31:  # CloudEvents 1.0, section 2.4: Integer is 32 bits
        yield Problem("invalid_envelope", f"{name} must fit in 32 bits", "send it as a string", pointer=pointer)


def _string_problems(name: str, value: str, pointer: str) -> Iterable[Problem]:
    if not value and name in CORE:
        yield Problem("invalid_envelope", f"{name} must not be empty", pointer=pointer, rule="minLength")
    if len(value) > MAX_ATTRIBUTE or len(value.encode("utf-8", "replace")) > MAX_ATTRIBUTE:
        yield Problem("invalid_envelope", f"{name} is longer than {MAX_ATTRIBUTE} bytes", pointer=pointer)
    if _CONTROL.search(value):
        yield Problem("invalid_envelope", f"{name} holds control characters", pointer=pointer)
    if name == "time" and value and not _TIME.match(value):
        yield Problem("invalid_envelope", "time must be an RFC 3339 timestamp with offset", pointer=pointer)
    if name == "datacontenttype" and value and not _MEDIA_TYPE.match(value):
        message = "datacontenttype must be a media type in ASCII, not that of a whole event"
        yield Problem("invalid_envelope", message, pointer=pointer)
