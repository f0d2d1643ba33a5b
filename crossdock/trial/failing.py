"""Where in the content the expression stands that failed for an event; `try` and `test` show it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from crossdock.kernel.content import Spot
from crossdock.kernel.event import Event
from crossdock.kernel.expression import Expression, Function
from crossdock.kernel.jsonata_tree import Node, UnreadableError, whole
from crossdock.kernel.problems import Problem, Refused
from transforms.functions import functions
from transforms.lookups import Waiting
from transforms.lookupspec import Mapped

_BUILT_IN = {"D3030": "number", "D3137": "error", "D3141": "assert"}  # which function of JSONata has which error
_OPERANDS = {"T2001", "T2002"}  # of arithmetic that are no numbers


@contextmanager
def placed(spot: Spot, key: str) -> Iterator[None]:
    """Place what fails inside at a key of the content, unless it has its place."""
    try:
        yield
    except Refused as error:
        raise Refused(
            p if p.file or p.pointer else _at(p, spot.problem((key,), "", "")) for p in error.problems
        ) from None


@contextmanager
def placed_in(piece: Mapped, event: Event, source: str = "") -> Iterator[None]:
    """Place what fails inside at the call that failed in the expressions of a transform, a cast or a form."""
    try:
        yield
    except Waiting:
        raise
    except Refused as error:
        raise Refused(_found(problem, piece, event, source) for problem in error.problems) from None


def _found(problem: Problem, piece: Mapped, event: Event, source: str) -> Problem:
    text = piece.spot.value().get(problem.rule) if problem.rule else None
    if problem.file or not isinstance(text, str):
        return problem
    known = functions(piece.mapping.lookups, piece.spot.value().get("codes", {}))
    try:
        offset = _failing(text, known, lambda one: one.evaluate(piece.mapping.begin(event, source)), problem.message)
    except (UnreadableError, Refused):  # a Python function, for one
        return _at(problem, piece.spot.problem((problem.rule,), "", ""))
    return _at(problem, piece.spot.document.inside((*piece.spot.path, problem.rule), offset, "", ""))


def _failing(text: str, known: Mapping[str, Function], evaluate: Callable[[Expression], Any], message: str) -> int:
    """Return the offset of what fails: each call of our functions gets a name of its own, and the text runs again."""
    nodes = [whole(text)]
    for node in nodes:  # which grows as it goes
        nodes += node.parts
    named: dict[str, Function] = {}
    failed: list[int] = []
    renamed = text
    for node in sorted(nodes, key=lambda node: -node.at):
        if node.kind == "variable" and node.value in known:
            name = f"{node.value}_at_{node.at}"
            named[name] = _noted(known[node.value], node.at, failed)
            renamed = f"{renamed[: node.at]}${name}{renamed[node.at + 1 + len(node.value) :]}"
    try:
        evaluate(Expression(renamed, named))
    except Refused:
        if failed:
            return failed[-1]
    alike = [node.at for node in nodes if _may_fail_so(node, message)]
    return alike[0] if len(alike) == 1 else 0


def _noted(function: Function, at: int, failed: list[int]) -> Function:
    def call(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except Exception:
            failed.append(at)
            raise

    return call


def _may_fail_so(node: Node, message: str) -> bool:
    code = message.partition(":")[0]
    if node.kind == "variable":
        return node.value == _BUILT_IN.get(code)
    return code in _OPERANDS and node.kind == "binary" and node.value in ("+", "-", "*", "/", "%")


def _at(problem: Problem, place: Problem) -> Problem:
    return problem.at(place.file, place.line, place.column)
