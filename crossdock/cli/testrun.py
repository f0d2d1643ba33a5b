"""Runs content tests and says in words what differs; called by `crossdock test`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from crossdock.cli import trial
from crossdock.cli.output import counted
from crossdock.contenttest import ContentTest
from crossdock.kernel.event import Event
from crossdock.project import Project

_MAX_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one test; it passed when nothing differs."""

    file: str
    line: int
    name: str
    differences: tuple[str, ...]


def run(project: Project, test: ContentTest) -> Result:
    """Run one test against the content."""
    first = test.spot.problem((), "", "")
    return Result(first.file, first.line, test.name, tuple(_differences(project, test)))


def _differences(project: Project, test: ContentTest) -> Iterator[str]:
    got = trial.run(project, test.given)
    codes = sorted({problem.code for problem in got.problems})
    if "error" in test.expect:
        if test.expect["error"] not in codes:
            yield f"error: expected {test.expect['error']}, got {', '.join(codes) or 'none'}"
    elif got.event is None or got.problems:
        yield from (f"it failed: {problem}" for problem in got.problems)
    else:
        yield from _event_differences(test.expect, got.event)
        yield from _route_differences(test.expect, got.event, [route.name for route in got.routes])


def _event_differences(expect: Mapping[str, Any], event: Event) -> Iterator[str]:
    got = {"type": event.type, "business_key": event.extensions.get("businesskey", ""), "data": event.data}
    for what, value in got.items():
        if what in expect:
            yield from compare(what, expect[what], value)


def _route_differences(expect: Mapping[str, Any], event: Event, names: list[str]) -> Iterator[str]:
    if "routes" in expect:
        yield from (f"routes: {name} should take it and does not" for name in expect["routes"] if name not in names)
        yield from (f"routes: {name} takes it and should not" for name in names if name not in expect["routes"])
    for name, body in expect.get("bodies", {}).items():
        if name in names:
            yield from compare(f"body of {name}", body, event.data)
        else:
            yield f"body of {name}: the route does not take it"


def compare(what: str, expected: Any, got: Any, pointer: str = "") -> Iterator[str]:
    """Yield the differences between two JSON values in words, each with its JSON pointer."""
    place = f"{what} {pointer}".strip()
    if isinstance(expected, dict) and isinstance(got, dict):
        for key in [*expected, *(key for key in got if key not in expected)]:
            step = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
            yield from _member(what, expected, got, key, step)
    elif isinstance(expected, list) and isinstance(got, list):
        for index, (one, other) in enumerate(zip(expected, got, strict=False)):
            yield from compare(what, one, other, f"{pointer}/{index}")
        if len(expected) != len(got):
            yield f"{place}: expected {counted(len(expected), 'item')}, got {len(got)}"
    elif expected != got or isinstance(expected, bool) is not isinstance(got, bool):  # True == 1 in Python
        yield f"{place}: expected {_shown(expected)}, got {_shown(got)}"


def _member(what: str, expected: Mapping[str, Any], got: Mapping[str, Any], key: str, pointer: str) -> Iterator[str]:
    if key not in got:
        yield f"{what} {pointer}: expected {_shown(expected[key])}, it is missing"
    elif key not in expected:
        yield f"{what} {pointer}: {_shown(got[key])} is not expected"
    else:
        yield from compare(what, expected[key], got[key], pointer)


def _shown(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 3] + "..."
