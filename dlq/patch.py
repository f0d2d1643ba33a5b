"""JSON Patch (RFC 6902) on documents as `jsontext` reads them: done whole or not at all, and no number changes."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crossdock.kernel import jsontext
from crossdock.kernel.problems import Problem, Refused, refuse

MOST = 100  # operations of one patch
MOST_BYTES = 16 << 20  # of the document; copies of copies double it every time
_STEP = re.compile(r"([^~]|~[01])*\Z")  # RFC 6901, section 3
_INDEX = re.compile(r"(0|[1-9][0-9]{0,9})\Z")
_ARGUMENTS = {
    "add": ("path", "value"), "remove": ("path",), "replace": ("path", "value"),
    "move": ("from", "path"), "copy": ("from", "path"), "test": ("path", "value"),
}  # fmt: skip

Operation = Mapping[str, Any]
Patch = Sequence[Operation]
_Act = Callable[[Any, str], Any]  # gives a new parent, of a parent and the last step


class _CannotError(Exception):
    """An operation does not fit the document."""


def read(document: Any) -> Patch:
    """Return a patch of a JSON document.

    Raises:
        Refused: `bad_patch`, with everything that is wrong.
    """
    if not isinstance(document, list) or not 0 < len(document) <= MOST:
        raise refuse("bad_patch", f"a patch is a list of 1 to {MOST} operations", _HINT)
    problems = [problem for index, one in enumerate(document) if (problem := _problem(index, one))]
    if problems:
        raise Refused(problems)
    return document


_HINT = 'such as [{"op": "replace", "path": "/data/store", "value": "0042"}], see RFC 6902'


def _problem(index: int, operation: Any) -> Problem | None:
    if not isinstance(operation, dict) or operation.get("op") not in [*_ARGUMENTS]:
        said = f"an operation has an `op`: {', '.join(_ARGUMENTS)}"
        return Problem("bad_patch", said, _HINT, pointer=f"/{index}")
    for name in _ARGUMENTS[operation["op"]]:
        if name not in operation:
            return Problem("bad_patch", f"{operation['op']} needs `{name}`", _HINT, pointer=f"/{index}")
        if name != "value" and not _is_pointer(operation[name]):
            said = "a place is a JSON pointer (RFC 6901): empty, or beginning with a slash"
            return Problem("bad_patch", said, _HINT, pointer=f"/{index}/{name}")
    return None


def _is_pointer(text: Any) -> bool:
    return isinstance(text, str) and text[:1] in ("", "/") and _STEP.match(text) is not None


def apply(document: Any, patch: Patch) -> Any:
    """Return what a patch makes of a document, which stays as it is.

    Raises:
        Refused: `patch_failed`, with the operation and its place.
    """
    for number, operation in enumerate(patch, 1):
        name, path = operation["op"], operation["path"]
        try:
            document = _OPERATIONS[name](document, operation)
            if name not in ("remove", "test") and len(jsontext.dumps(document)) > MOST_BYTES:
                raise _CannotError(f"it makes more than {MOST_BYTES >> 20} MiB")
        except _CannotError as error:
            said = f"operation {number}, {name} {path}: {error}"
            raise refuse("patch_failed", said, "look at the document as it is", pointer=path) from None
        except TypeError as error:  # orjson: nested too deep, or an integer of more than 64 bits
            raise refuse("patch_failed", f"operation {number}, {name} {path}: {error}", pointer=path) from None
    return document


def _add(document: Any, operation: Operation) -> Any:
    return _put(document, operation["path"], operation["value"])


def _remove(document: Any, operation: Operation) -> Any:
    return _taken(document, operation["path"])


def _replace(document: Any, operation: Operation) -> Any:
    value = operation["value"]

    def act(parent: Any, step: str) -> Any:
        _child(parent, step)
        return _with(parent, step, value)

    return _at(document, _steps(operation["path"]), act) if operation["path"] else value


def _move(document: Any, operation: Operation) -> Any:
    start, path = operation["from"], operation["path"]
    if path.startswith(f"{start}/"):
        raise _CannotError("a value cannot be moved into itself")
    value = _found(document, start)
    return document if start == path else _put(_taken(document, start), path, value)


def _copy(document: Any, operation: Operation) -> Any:
    return _put(document, operation["path"], _found(document, operation["from"]))


def _test(document: Any, operation: Operation) -> Any:
    if not _same(_found(document, operation["path"]), operation["value"]):
        raise _CannotError("another value is there")
    return document


_OPERATIONS: Mapping[str, Callable[[Any, Operation], Any]] = {
    "add": _add, "remove": _remove, "replace": _replace, "move": _move, "copy": _copy, "test": _test,
}  # fmt: skip


def _put(document: Any, path: str, value: Any) -> Any:
    def act(parent: Any, step: str) -> Any:
        if not isinstance(parent, list):
            return _with(parent, step, value)
        index = len(parent) if step == "-" else _index(step, len(parent))
        return [*parent[:index], value, *parent[index:]]

    return _at(document, _steps(path), act) if path else value


def _taken(document: Any, path: str) -> Any:
    def act(parent: Any, step: str) -> Any:
        _child(parent, step)
        if isinstance(parent, list):
            return [item for index, item in enumerate(parent) if index != int(step)]
        return {key: value for key, value in parent.items() if key != step}

    if not path:
        raise _CannotError("the whole document cannot be removed")
    return _at(document, _steps(path), act)


def _found(document: Any, path: str) -> Any:
    for step in _steps(path):
        document = _child(document, step)
    return document


def _steps(path: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]


def _at(node: Any, steps: Sequence[str], act: _Act) -> Any:
    """Return a node in which an act made the last parent of a path anew; what is beside the path is shared."""
    parents = [node]
    for step in steps[:-1]:
        parents.append(_child(parents[-1], step))
    made = act(parents[-1], steps[-1])
    for parent, step in zip(reversed(parents[:-1]), reversed(steps[:-1]), strict=True):
        made = _with(parent, step, made)
    return made


def _child(node: Any, step: str) -> Any:
    if isinstance(node, dict) and step in node:
        return node[step]
    if isinstance(node, list):
        return node[_index(step, len(node) - 1)]
    raise _CannotError(f"there is no {step[:80]!r}")


def _with(parent: Any, step: str, value: Any) -> Any:
    if isinstance(parent, dict):
        return {**parent, step: value}
    if isinstance(parent, list):
        index = _index(step, len(parent) - 1)
        return [*parent[:index], value, *parent[index + 1 :]]
    raise _CannotError(f"there is no {step[:80]!r} in what is neither object nor list")


def _index(step: str, most: int) -> int:
    if not _INDEX.match(step) or int(step) > most:
        raise _CannotError(f"the list has no item {step[:80]!r}")
    return int(step)


def _same(one: Any, other: Any) -> bool:
    """Tell whether two values are equal as RFC 6902, section 4.6 says: numbers by value, members in any order."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)
