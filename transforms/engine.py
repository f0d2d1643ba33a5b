"""Turns raw events into canonical ones; the pipeline and `crossdock test` call `Transform.apply`."""

import math
import re
from dataclasses import dataclass, field
from typing import Any, Protocol

from crossdock.kernel.content import Spot
from crossdock.kernel.event import Event
from crossdock.kernel.expression import Expression, View, view
from crossdock.kernel.keys import EXPECTED, as_key
from crossdock.kernel.problems import Problem, Refused
from transforms.failures import BY_NAME, BadArgumentError
from transforms.lookups import Lookups

_HOST = re.compile(r"host function raised (\w+): (.*)", re.DOTALL)


class Rule(Protocol):
    """What a `map` is: an expression or a Python function."""

    def evaluate(self, view: View) -> Any:
        """Return what it makes of an event; raises Refused."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """A `map` with what it looks up; `owner` names it in problems, as `the transform pos_sale`."""

    rule: Rule
    lookups: Lookups
    owner: str

    def begin(self, event: Event, source: str = "") -> View:
        """Return what the expressions of one event see; `source` is the name of who took it, where that is known."""
        if self.lookups.needs_event:
            self.lookups.begin(event.time)
        return view(event, source)

    def data(self, seen: View) -> Any:
        """Return the new data.

        Raises:
            Refused: what a function refuses, as `lookup_missing`, else `expression_failed` or `transform_failed`; the
                hint names the expression.
        """
        data = self.evaluate("map", self.rule, seen)
        if data is None:
            raise self.failed("map", "it gives nothing")
        if not _finite(data):
            raise self.failed("map", "it gives a number that JSON cannot hold, such as 1/0")
        return data

    def evaluate(self, part: str, rule: Rule, seen: View) -> Any:
        """Return the value of one expression; raises Refused as `data` does."""
        try:
            return rule.evaluate(seen)
        except Refused as error:
            raise self.lookups.refused(self._named(part, problem) for problem in error.problems) from None

    def failed(self, part: str, message: str) -> Refused:
        """Return the refusal of what an expression gives."""
        return Refused([Problem("transform_failed", message, f"see {part} of {self.owner}", rule=part)])

    def _named(self, part: str, problem: Problem) -> Problem:
        place = f"see {part} of {self.owner}"
        host = _HOST.match(problem.message)
        if not host:
            return Problem(problem.code, problem.message, place, rule=part)
        known = BadArgumentError if host[1] == "TypeError" else BY_NAME.get(host[1])
        if known is None:
            return Problem(problem.code, host[2], place, rule=part)
        return Problem(known.code, host[2], f"{known.hint}; {place}" if known.hint else place, rule=part)


@dataclass(frozen=True, slots=True)
class Transform:
    """A mapping from one raw type and major version to one canonical type and major version."""

    name: str
    from_type: str
    from_major: int
    to_type: str
    to_major: int
    mapping: Mapping
    business_key: Expression | None
    spot: Spot = field(repr=False, compare=False)

    @property
    def lookups(self) -> Lookups:
        """The tables that its expressions ask."""
        return self.mapping.lookups

    def apply(self, event: Event, dataschema: str) -> Event:
        """Return the canonical event: the same fact with new type, `dataschema` and data, and its `businesskey`.

        Raises:
            Refused: as `Mapping.data` does.
        """
        seen = self.mapping.begin(event)
        data = self.mapping.data(seen)
        key = self._key(seen)
        extensions = {**event.extensions, "businesskey": key} if key else event.extensions
        return Event(
            event.id,
            event.source,
            self.to_type,
            data,
            event.time,
            event.subject,
            dataschema,
            event.datacontenttype,
            extensions,
            event.exact,
        )

    def _key(self, seen: View) -> str:
        if self.business_key is None:
            return ""
        key = as_key(self.mapping.evaluate("business_key", self.business_key, seen))
        if key is None:
            raise self.mapping.failed("business_key", f"it does not give {EXPECTED}")
        return key


def _finite(value: Any) -> bool:
    nodes = [value]
    for node in nodes:  # which grows as it goes
        kind = type(node)
        if kind is str:
            continue
        if kind is dict:
            nodes += node.values()
        elif kind is list:
            nodes += node
        elif kind is float and not math.isfinite(node):
            return False
    return True
