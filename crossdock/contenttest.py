"""Content tests: what comes in and what should become of it, read from `*.test.yaml`; run by `crossdock test`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from connectors.connection import Response
from crossdock.kernel import jsontext
from crossdock.kernel.content import TESTS, Spot, did_you_mean, read_all, read_schema
from crossdock.kernel.event import STRUCTURED, Event, decode_structured
from crossdock.kernel.problems import Problem, Refused
from crossdock.kernel.yamlfile import Document, Path_, check

FOLDERS = ("gateway", "transforms", "routes")
JSON = "application/json"
_SCHEMA = read_schema(Path(__file__).parent, "_test_schema.json")
_ENVELOPE = {"id": "test", "source": "/test", "time": "2026-01-01T00:00:00Z"}
_STRUCTURED = {"content-type": STRUCTURED}


class Arrival(NamedTuple):
    """What comes in: header names in lower case; an empty `source` stands for whichever accepts the event."""

    source: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class ContentTest:
    """One test: what comes in, and what is expected of each event; only keys that are given are compared.

    `events` are those that are given as events, not as requests; `lookups` has the rows of lookups by name and key,
    `answers` what the targets of routes answer. `about` names the routes that are looked at, None for all.
    """

    name: str
    given: tuple[Arrival, ...]
    events: tuple[Event, ...]
    expect: tuple[Mapping[str, Any], ...]
    spot: Spot = field(repr=False, compare=False)
    lookups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    answers: Mapping[str, Response] = field(default_factory=dict)
    about: frozenset[str] | None = None


def load(root: Path) -> tuple[ContentTest, ...]:
    """Return the tests beside sources, transforms and routes.

    Raises:
        Refused: with every problem of every file.
    """
    paths = [path for folder in FOLDERS for path in sorted((root / folder).rglob(f"*{TESTS}"))]
    documents, problems = read_all(paths, root, _SCHEMA)
    return _tests(documents, problems)


def read(document: Document) -> tuple[ContentTest, ...]:
    """Return the tests of one file.

    Raises:
        Refused: with every problem of it.
    """
    if wrong := check(document, _SCHEMA):
        raise Refused(wrong)
    return _tests([document], [])


def _tests(documents: Iterable[Document], problems: list[Problem]) -> tuple[ContentTest, ...]:
    spots = [Spot(document, ("tests", i)) for document in documents for i in range(len(document.value["tests"]))]
    tests = [_test(spot, problems) for spot in spots]
    if problems:
        raise Refused(problems)
    return tuple(tests)


def unknown_names(
    tests: Sequence[ContentTest], sources: Iterable[str], routes: Iterable[str], lookups: Iterable[str]
) -> Iterator[Problem]:
    """Yield a problem for each source, route and lookup that a test names and the content does not have."""
    known = {"source": [*sources], "route": [*routes], "lookup": [*lookups]}
    for test in tests:
        for kind, path, name in _named(test.spot.value()):
            if name not in known[kind]:
                yield _unknown(test.spot, path, kind, name, known[kind])
    for document in {test.spot.document.file: test.spot.document for test in tests}.values():
        for i, name in enumerate(document.value.get("about", ())):
            if name not in known["route"]:
                yield _unknown(Spot(document), ("about", i), "route", name, known["route"])


def _unknown(spot: Spot, path: Path_, kind: str, name: str, known: Iterable[str]) -> Problem:
    return spot.problem(path, f"unknown_{kind}", f"there is no {kind} {name!r}", did_you_mean(name, known))


def _named(value: Mapping[str, Any]) -> Iterator[tuple[str, Path_, str]]:
    """Yield what a test names: its kind, its place and the name."""
    yield from (("lookup", ("lookups", name), name) for name in value.get("lookups", ()))
    yield from (("route", ("answers", name), name) for name in value.get("answers", ()))
    for path, given in _each(value, "given"):
        if "via" in given:
            yield "source", (*path, "via"), given["via"]
        if "request" in given:
            yield "source", (*path, "request", "source"), given["request"]["source"]
    for path, expect in _each(value, "expect"):
        yield from (("route", (*path, "routes", i), name) for i, name in enumerate(expect.get("routes", ())))
        for key in ("bodies", "requests", "deliveries", "replies"):
            yield from (("route", (*path, key, name), name) for name in expect.get(key, ()))


def _each(value: Mapping[str, Any], key: str) -> list[tuple[Path_, Any]]:
    given = value[key]
    return [((key, i), one) for i, one in enumerate(given)] if isinstance(given, list) else [((key,), given)]


def _test(spot: Spot, problems: list[Problem]) -> ContentTest:
    value = spot.value()
    given, events = [], []
    for path, one in _each(value, "given"):
        try:
            given.append(_arrival(one))
            if "request" not in one:
                events.append(decode_structured(given[-1].body))
        except Refused as error:
            problems.extend(spot.problem(path, p.code, p.message, p.hint) for p in error.problems)
        except TypeError as error:  # orjson: an integer of more than 64 bits
            problems.append(spot.problem(path, "bad_value", str(error)))
    expect = tuple(one for _, one in _each(value, "expect"))
    if isinstance(value["given"], list) and not isinstance(value["expect"], list):
        hint = "one entry for each event, in order"
        problems.append(spot.problem(("expect",), "bad_value", "`given` is a list, so `expect` must be one", hint))
    answers = {route: _answer(**said) for route, said in value.get("answers", {}).items()}
    about = spot.document.value.get("about")
    return ContentTest(
        value["name"],
        tuple(given),
        tuple(events),
        expect,
        spot,
        value.get("lookups", {}),
        answers,
        None if about is None else frozenset(about),
    )


def _arrival(given: Mapping[str, Any]) -> Arrival:
    if "request" in given:
        return _request(**given["request"])
    document: dict[str, Any] = {"specversion": "1.0", **_ENVELOPE, **given}
    via = document.pop("via", "")
    if version := document.pop("version", None):
        document["dataschema"] = f"crossdock:/{given['type']}/{version}"
    return Arrival(via, _STRUCTURED, {}, jsontext.dumps(document))


def _answer(
    status: int, headers: Mapping[str, Any] | None = None, body: Any = None, text: str | None = None
) -> Response:
    content = text.encode() if text is not None else b"" if body is None else jsontext.dumps(body)
    return Response(status, {name.lower(): str(value) for name, value in (headers or {}).items()}, content)


def _request(
    source: str,
    headers: Mapping[str, Any] | None = None,
    query: Mapping[str, Any] | None = None,
    body: Any = None,
    text: str | None = None,
) -> Arrival:
    named = {"content-type": JSON, **{name.lower(): str(value) for name, value in (headers or {}).items()}}
    content = jsontext.dumps(body) if text is None else text.encode()
    return Arrival(source, named, {name: str(value) for name, value in (query or {}).items()}, content)
