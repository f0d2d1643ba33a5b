"""JSON for people, with the places that problems are about marked; called by `crossdock try` and the console."""

from collections.abc import Iterable, Iterator
from typing import Any

from crossdock.kernel import jsontext
from crossdock.kernel.problems import Problem

AROUND = 3  # lines shown before and after a marked one
_WHOLE = 40  # lines of a document that is shown whole


def marked(value: Any, problems: Iterable[Problem]) -> list[tuple[bool, str]]:
    """Return the lines of a JSON value, those that a problem points at marked and with what is wrong.

    A pointer to what is not there marks its nearest parent. What is far from every mark is left out.
    """
    lines = list(_lines(value, "", "", ""))
    places = {pointer: index for index, (pointer, _) in reversed(list(enumerate(lines)))}
    said: dict[int, list[str]] = {}
    for problem in problems:
        pointer = problem.pointer
        while pointer not in places:
            pointer = pointer.rpartition("/")[0]
        if problem.pointer:  # what is wrong somewhere marks nothing
            said.setdefault(places[pointer], []).append(f"{problem.code}: {problem.message}")
    made = [(i in said, _line(text, said.get(i, ()))) for i, (_, text) in enumerate(lines)]
    return made if len(made) <= _WHOLE or not said else list(_near(made, said))


def _line(text: str, said: Iterable[str]) -> str:
    told = "; ".join(said)
    return f"{text}   <-- {told}" if told else text


def _near(lines: list[tuple[bool, str]], marks: Iterable[int]) -> Iterator[tuple[bool, str]]:
    shown = {near for mark in marks for near in range(mark - AROUND, mark + AROUND + 1)}
    last = -1
    for index in sorted(shown & set(range(len(lines)))):
        if index != last + 1:
            yield False, "..."
        yield lines[index]
        last = index
    if last != len(lines) - 1:
        yield False, "..."


def _lines(value: Any, pointer: str, indent: str, label: str) -> Iterator[tuple[str, str]]:
    """Yield the lines of a value, each with the pointer of what begins there."""
    if not isinstance(value, dict | list) or not value:
        yield pointer, f"{indent}{label}{jsontext.dumps(value).decode()}"
        return
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    members = value.items() if isinstance(value, dict) else enumerate(value)
    yield pointer, f"{indent}{label}{opening}"
    left = len(value)
    for key, child in members:
        left -= 1
        name = f"{jsontext.dumps(key).decode()}: " if isinstance(key, str) else ""
        child_lines = list(_lines(child, f"{pointer}/{jsontext.escaped(str(key))}", indent + "  ", name))
        yield from child_lines[:-1]
        yield child_lines[-1][0], child_lines[-1][1] + ("," if left else "")
    yield f"{pointer}/", f"{indent}{closing}"  # no pointer of a problem ends so
