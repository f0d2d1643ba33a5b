"""What came at each place of the documents of one version: how often, of which kinds and values, and since when."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from crossdock.kernel.problems import Problem
from schemas.outline import EVERY, Place, as_json, joined, kind_of

LEARNT = 100  # events after which the past of a place is taken for what is usual there
MOST_PLACES = 300  # of one version
MOST_UNKNOWN = 100  # names of one object that its schema does not name
MOST_VALUES = 12  # of a place, else its values are no list
MOST_RULES = 40
MOST_TOLD = 100  # places of one document that break its schema: as many as there are problems of one
LONGEST_NAME, LONGEST_VALUE, LONGEST_ID = 80, 40, 128
MOST_STEPS = 3000  # values of one document that are looked at
PERSONAL = '"(personal)"'  # stands for all values of a place that are nobody's business
COVERED = frozenset({"additionalProperties", "unevaluatedProperties", "enum", "const", "type"})  # seen at the place
_DATED = re.compile(r"\d{4}-?\d\d-?\d\d")  # days are few at a time, and new ones come each day


@dataclass(slots=True)
class Sight:
    """In how many events something came, when first and last (Unix milliseconds), and the id of the last with one.

    `after` is how many events had had the place before; `look` is the last event, as the profile counts them.
    """

    first: int
    after: int
    n: int = 0
    last: int = 0
    sample: str = ""
    look: int = -1

    def add(self, now: "Look") -> None:
        """Count an event once."""
        if self.look != now.number:
            self.n, self.last, self.look = self.n + 1, now.at, now.number
            self.sample = now.id or self.sample


@dataclass(slots=True)
class Seen:
    """What came at one place; `parent` is how many events had the object or list around it when it came last.

    `values` are JSON, and None once there were too many, or ones too long, to be a list. `others` counts
    events with members that were too many to be kept; `unknown` are the members that the schema does not name.
    """

    sight: Sight
    kinds: dict[str, Sight] = field(default_factory=dict)
    values: dict[str, Sight] | None = field(default_factory=dict)
    members: dict[str, "Seen"] = field(default_factory=dict)
    items: "Seen | None" = None
    parent: int = 0
    unknown: int = 0
    others: Sight | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """One event that is looked at: its number, when it was stored (Unix milliseconds), and by which id it is found."""

    number: int
    at: int
    id: str


@dataclass(slots=True)
class Profile:
    """What came in the events of one version of a type from one source.

    `seen` counts all events, `looked` those that were looked at.
    """

    top: Seen = field(default_factory=lambda: Seen(Sight(0, 0)))
    rules: dict[str, Sight] = field(default_factory=dict)
    seen: int = 0
    looked: int = 0
    places: int = 0

    def look(self, place: Place, data: Any, at: int, event_id: str, problems: Iterable[Problem] = ()) -> None:
        """Take one event into account; `problems` are those of its schema."""
        now = Look(self.looked, at, event_id if len(event_id) <= LONGEST_ID else "")
        self.looked += 1
        walk = _Walk(self, now)
        walk.value(self.top, place, data)
        for problem in problems:
            self._rule(now, problem, walk.told)

    def _rule(self, now: Look, problem: Problem, told: set[str]) -> None:
        pointer = "".join(f"/{EVERY if step.isdigit() else step}" for step in problem.pointer.split("/")[1:])
        if problem.rule in COVERED and any(pointer == one or one.startswith(f"{pointer}/") for one in told):
            return
        name = f"{problem.rule or problem.code} {pointer}"[:200]
        if name in self.rules or len(self.rules) < MOST_RULES:
            self.rules.setdefault(name, Sight(now.at, now.number)).add(now)

    def each(self) -> Iterator[tuple[str, Seen, Seen]]:
        """Yield every place below the top with its JSON pointer and what is around it."""
        yield from _each("", self.top)


def _each(pointer: str, seen: Seen) -> Iterator[tuple[str, Seen, Seen]]:
    inner = [(name, child) for name, child in seen.members.items()]
    inner += [(EVERY, seen.items)] if seen.items else []
    for name, child in inner:
        here = joined(pointer, name)
        yield here, child, seen
        yield from _each(here, child)


class _Walk:
    """One document on its way into a profile; `told` gets the places at which it breaks its schema."""

    def __init__(self, profile: Profile, now: Look) -> None:
        self._profile = profile
        self._now = now
        self._left = MOST_STEPS
        self._path: list[str] = []
        self.told: set[str] = set()

    def value(self, seen: Seen, place: Place | None, value: Any) -> None:
        """Take a value and what is in it into account."""
        now, kind = self._now, kind_of(value)
        before = seen.sight.n
        seen.sight.add(now)
        if (sight := seen.kinds.get(kind)) is None:
            sight = seen.kinds[kind] = Sight(now.at, before)
        sight.add(now)
        if place is None:
            return
        if kind not in place.kinds:
            self._tell()
        elif kind == "object":
            self._object(seen, place, value)
        elif kind == "array":
            self._array(seen, place, value)
        elif kind != "null":
            self._value(seen, place, value, before)

    def _object(self, seen: Seen, place: Place, value: Mapping[str, Any]) -> None:
        for name, child in value.items():
            if self._left <= 0:
                return
            self._left -= 1
            if (known := place.member(name)) is not None:
                self._inner(seen, name, known, child)
            elif not place.is_map:
                self._path.append(name)
                self._tell()
                self._path.pop()
                self._unknown(seen, name, child)

    def _inner(self, seen: Seen, name: str, place: Place | None, value: Any) -> None:
        inner = seen.members.get(name)
        if inner is None:
            if self._profile.places >= MOST_PLACES:
                return
            self._profile.places += 1
            inner = seen.members[name] = Seen(Sight(self._now.at, seen.sight.n - 1))
        inner.parent = seen.sight.n
        self._path.append(name)
        self.value(inner, place, value)
        self._path.pop()

    def _unknown(self, seen: Seen, name: str, value: Any) -> None:
        if name not in seen.members:
            if seen.unknown >= MOST_UNKNOWN or len(name) > LONGEST_NAME or self._profile.places >= MOST_PLACES:
                seen.others = seen.others or Sight(self._now.at, seen.sight.n - 1)
                seen.others.add(self._now)
                return
            seen.unknown += 1
        self._inner(seen, name, None, value)

    def _array(self, seen: Seen, place: Place, value: list[Any]) -> None:
        if seen.items is None and value:
            seen.items = Seen(Sight(self._now.at, seen.sight.n - 1))
        self._path.append(EVERY)
        for child in value:
            if self._left <= 0 or seen.items is None:
                break
            self._left -= 1
            seen.items.parent = seen.sight.n
            self.value(seen.items, place.items, child)
        self._path.pop()

    def _value(self, seen: Seen, place: Place, value: Any, before: int) -> None:
        listed = place.values
        if listed is None and (type(value) is not str or place.personal or place.identifies):
            return
        text = as_json(value)
        if listed is not None:
            if text in listed:
                return
            self._tell()
            text = PERSONAL if place.personal else text
        if seen.values is None:
            return
        if (sight := seen.values.get(text)) is None:
            if len(seen.values) >= MOST_VALUES or len(text) > LONGEST_VALUE or _DATED.match(text, 1):
                seen.values = None if listed is None else seen.values
                return
            sight = seen.values[text] = Sight(self._now.at, before)
        sight.add(self._now)

    def _tell(self) -> None:
        if len(self.told) < MOST_TOLD:
            self.told.add("".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in self._path))
