"""What two schemas speak of: the values and names that a witness of their difference is likely made of."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from schemas.texts import matching

MAX_LENGTH = 20_000
_LENGTHS = {"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"}
PLAIN: tuple[Any, ...] = ("x", 1, 0, -1, 0.5, True, {}, [], "", False, {"x": "x"}, ["x"], None)
FORMATS = (
    "2026-03-01T10:00:00Z", "2026-03-01", "10:00:00Z", "P1D", "a@example.org", "https://example.org/a", "example.org",
    "192.0.2.1", "2001:db8::1", "123e4567-e89b-12d3-a456-426614174000", "/a", "YQ==", "{}", "^a$",
)  # fmt: skip
_DAY = "(1[89]|2[01])[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{3})?(Z|[+-]0[0-9]:00)"
_HEX = "[0-9a-f]"
SHAPES = {  # texts that have a format, though not all of them
    "date": f"^{_DAY}$",
    "time": f"^{_TIME}$",
    "date-time": f"^{_DAY}T{_TIME}$",
    "uuid": f"^{_HEX}{{8}}-{_HEX}{{4}}-[1-5]{_HEX}{{3}}-[89ab]{_HEX}{{3}}-{_HEX}{{12}}$",
    "email": r"^[A-Za-z0-9_]{1,20}@[a-z0-9]{1,20}\.[a-z]{2,9}$",
    "uri": r"^(https?|ftp|urn):(//)?[A-Za-z0-9_./-]{1,40}$",
    "ipv4": r"^(1?[1-9]?[0-9]\.){3}1?[1-9]?[0-9]$",
}


@dataclass(frozen=True, slots=True)
class Pool:
    """What two schemas speak of: values at their bounds, and names of properties."""

    values: tuple[Any, ...] = PLAIN
    names: tuple[str, ...] = ()

    def texts(self) -> Iterator[str]:
        """Return the texts among the values."""
        return (value for value in (*self.values, *FORMATS) if isinstance(value, str))

    def numbers(self) -> Iterator[int | float]:
        """Return the numbers among the values."""
        return (value for value in self.values if isinstance(value, int | float) and not isinstance(value, bool))


@dataclass(slots=True)
class _Found:
    values: dict[str, Any] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)

    def add(self, *values: Any) -> None:
        for value in values:
            self.values.setdefault(repr(value), value)


def pool_of(*schemas: Any) -> Pool:
    """Return what these schemas speak of."""
    found = _Found()
    for schema in schemas:
        _collect(schema, found)
    found.add(*PLAIN)
    return Pool(tuple(found.values.values())[:200], tuple(found.names)[:200])


def _collect(node: Any, found: _Found) -> None:
    if isinstance(node, list):
        for child in node:
            _collect(child, found)
    elif isinstance(node, dict):
        for key, value in node.items():
            _take(key, value, found)
            _collect(value, found)


def _take(key: str, value: Any, found: _Found) -> None:
    if key == "const":
        found.add(value)
    elif key == "enum" and isinstance(value, list):
        found.add(*value[:20])
    elif key in ("pattern", "patternProperties"):
        for pattern in (value,) if isinstance(value, str) else value:
            found.add(*matching(pattern)[:6])
    elif isinstance(value, int | float) and not isinstance(value, bool):
        _add_number(key, value, found)
    elif key in ("properties", "dependentRequired", "dependentSchemas", "required"):
        found.names.update(dict.fromkeys(name for name in value if isinstance(name, str)))


def _add_number(key: str, value: float, found: _Found) -> None:
    if key in _LENGTHS:
        found.add(*("x" * int(min(length, MAX_LENGTH)) for length in (value, value - 1, value + 1) if length >= 0))
    else:
        found.add(value, value - 1, value + 1, value + 0.5, 2 * value, 3 * value)
