"""Turns raw events into canonical ones; the pipeline and `crossdock test` call `Transform.apply`."""

import math
import re
from dataclasses import dataclass, field
from typing import Any

from crossdock.kernel.content import Spot
from crossdock.kernel.event import Event
from crossdock.kernel.expression import Expression, View, view
from crossdock.kernel.keys import EXPECTED, as_key
from crossdock.kernel.problems import Problem, Refused

_HOST = re.compile(r"host function raised (\w+): (.*)", re.DOTALL)
_CODES = {"MissingRowError": "lookup_missing"}


@dataclass(frozen=True, slots=True)
class Transform:
    """A mapping from one raw type and major version to one canonical type and major version."""

    name: str
    from_type: str
    from_major: int
    to_type: str
    to_major: int
    map: Expression
    business_key: Expression | None
    spot: Spot = field(repr=False, compare=False)

    def apply(self, event: Event, dataschema: str) -> Event:
        """Return the canonical event: the same fact with new type, `dataschema` and data, and its `businesskey`.

        Raises:
            Refused: `lookup_missing`, `expression_failed` or `transform_failed`; the hint names the expression.
        """
        seen = view(event)
        data = self._evaluate("map", self.map, seen)
        if data is None:
            raise self._failed("map", "it gives nothing")
        if not _finite(data):
            raise self._failed("map", "it gives a number that JSON cannot hold, such as 1/0")
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
        key = as_key(self._evaluate("business_key", self.business_key, seen))
        if key is None:
            raise self._failed("business_key", f"it does not give {EXPECTED}")
        return key

    def _evaluate(self, part: str, expression: Expression, seen: View) -> Any:
        try:
            return expression.evaluate(seen)
        except Refused as error:
            raise Refused(self._named(part, problem) for problem in error.problems) from None

    def _named(self, part: str, problem: Problem) -> Problem:
        host = _HOST.match(problem.message)
        code, message = (_CODES.get(host[1], problem.code), host[2]) if host else (problem.code, problem.message)
        return Problem(code, message, f"see {part} of the transform {self.name}", rule=part)

    def _failed(self, part: str, message: str) -> Refused:
        return Refused([Problem("transform_failed", message, f"see {part} of the transform {self.name}", rule=part)])


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
