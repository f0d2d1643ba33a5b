"""The differences between two JSON values, each with its JSON pointer; tests and plans tell them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from crossdock.kernel import jsontext

_MAX_SHOWN = 120


class Nothing:
    """The place of a value that is not there; `null` is a value."""

    def __repr__(self) -> str:
        return "nothing"


NOTHING: Final = Nothing()


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two values differ; `what` names the value, `pointer` the place in it (RFC 6901)."""

    what: str
    pointer: str
    expected: Any
    got: Any

    def __str__(self) -> str:
        place = f"{self.what} {self.pointer}".strip()
        if self.got is NOTHING:
            return f"{place}: expected {shown(self.expected)}, it is missing"
        if self.expected is NOTHING:
            return f"{place}: {shown(self.got)} is not expected"
        return f"{place}: expected {shown(self.expected)}, got {shown(self.got)}"

    def change(self) -> str:
        """Return the difference in words for one value that was and another that is."""
        place = f"{self.what} {self.pointer}".strip()
        if self.got is NOTHING:
            return f"{place}: {shown(self.expected)} is gone"
        if self.expected is NOTHING:
            return f"{place}: {shown(self.got)} is new"
        return f"{place}: {shown(self.expected)} became {shown(self.got)}"

    def changed(self, act: Callable[[Any], Any]) -> "Difference":
        """Return it with other values, where it has values."""
        ends = (value if value is NOTHING else act(value) for value in (self.expected, self.got))
        return Difference(self.what, self.pointer, *ends)

    def as_dict(self, expected: str = "expected", got: str = "got") -> dict[str, Any]:
        """Return it for JSON; a value that is not there has no member."""
        values = {expected: self.expected, got: self.got}
        there = {name: value for name, value in values.items() if value is not NOTHING}
        return {"what": self.what, "pointer": self.pointer, **there}


def compare(what: str, expected: Any, got: Any, pointer: str = "") -> Iterator[Difference]:
    """Yield the differences between two JSON values, from the outside in."""
    if isinstance(expected, dict) and isinstance(got, dict):
        for key in [*expected, *(key for key in got if key not in expected)]:
            yield from _member(what, expected, got, key, f"{pointer}/{jsontext.escaped(key)}")
    elif isinstance(expected, list) and isinstance(got, list):
        numbered = dict(enumerate(expected)), dict(enumerate(got))
        for index in range(max(len(expected), len(got))):
            yield from _member(what, *numbered, index, f"{pointer}/{index}")
    elif expected != got or isinstance(expected, bool) is not isinstance(got, bool):  # True == 1 in Python
        yield Difference(what, pointer, expected, got)


def _member(
    what: str, expected: Mapping[Any, Any], got: Mapping[Any, Any], key: str | int, place: str
) -> Iterator[Difference]:
    if key in expected and key in got:
        yield from compare(what, expected[key], got[key], place)
    else:
        yield Difference(what, place, expected.get(key, NOTHING), got.get(key, NOTHING))


def shown(value: Any) -> str:
    """Return a value as short JSON."""
    text = jsontext.dumps(value).decode()
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 3] + "..."
