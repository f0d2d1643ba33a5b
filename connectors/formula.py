"""Values of connector files that an expression makes of each event, in place of a fixed text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crossdock.kernel import jsontext
from crossdock.kernel.content import Spot, expressions
from crossdock.kernel.environment import FromEnvironment
from crossdock.kernel.event import Event
from crossdock.kernel.expression import Expression, View
from crossdock.kernel.problems import Problem, refuse
from crossdock.kernel.yamlfile import Document, Path_


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression; equal to one of the same text, so that a connector that did not change stays open."""

    text: str
    _compiled: Expression = field(compare=False, repr=False)

    def value(self, view: View) -> Any:
        """Return what it makes, `None` for nothing.

        Raises:
            Refused: `expression_failed`.
        """
        return self._compiled.evaluate(view)


def formula(document: Document, path: Path_, problems: list[Problem]) -> Formula | None:
    """Return the expression that stands at a path; None, and a problem more, when it is none."""
    spot, key = Spot(document, path[:-1]), str(path[-1])
    text = spot.value()[key]
    if isinstance(text, FromEnvironment):  # it could say anything, and a secret would show in what is told of it
        hint = "give a secret as a header, or in auth"
        problems.append(spot.problem((key,), "bad_expression", "an expression takes nothing of ${NAME}", hint))
        return None
    compiled = expressions(spot, (key,), problems).get(key)
    return None if compiled is None else Formula(text, compiled)


def seen(data: Any, like: Event) -> View:
    """Return a view of other data than an event's, with its envelope and as exact."""
    return View(like._replace(data=data, exact=True))


def as_text(value: Any) -> str | None:
    """Return a value as it stands in a header, a query or an element; None for nothing.

    Raises:
        Refused: `bad_text`, for an object or a list.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Mapping | list):
        raise refuse("bad_text", f"a text or a number is meant, not {jsontext.dumps(value).decode()[:80]}")
    return jsontext.dumps(value).decode()
