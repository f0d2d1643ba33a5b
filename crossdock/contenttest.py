"""Content tests: an event and what should become of it, read from `*.test.yaml`; run by `crossdock test`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crossdock.kernel import jsontext
from crossdock.kernel.content import TESTS, Spot, read_all, read_schema
from crossdock.kernel.event import Event, decode_structured
from crossdock.kernel.problems import Problem, Refused

_ENGINE = Path(__file__).parents[1]
_SCHEMAS = {folder: read_schema(_ENGINE / folder, "_test_schema.json") for folder in ("transforms", "routes")}
_ENVELOPE = {"id": "test", "source": "/test", "time": "2026-01-01T00:00:00Z"}


@dataclass(frozen=True, slots=True)
class ContentTest:
    """One test: the event that comes in and what is expected of it; only keys that are given are compared."""

    name: str
    given: Event
    expect: Mapping[str, Any]
    spot: Spot = field(repr=False, compare=False)


def load(root: Path) -> tuple[ContentTest, ...]:
    """Return the tests of transforms and routes.

    Raises:
        Refused: with every problem of every file.
    """
    problems: list[Problem] = []
    tests: list[ContentTest] = []
    for folder, schema in _SCHEMAS.items():
        documents, found = read_all(sorted((root / folder).glob(f"*{TESTS}")), root, schema)
        problems.extend(found)
        for document in documents:
            for index in range(len(document.value["tests"])):
                tests.extend(_test(Spot(document, ("tests", index)), problems))
    if problems:
        raise Refused(problems)
    return tuple(tests)


def _test(spot: Spot, problems: list[Problem]) -> list[ContentTest]:
    value = spot.value()
    try:
        return [ContentTest(value["name"], _event(value["given"]), value["expect"], spot)]
    except Refused as error:
        problems.extend(spot.problem(("given",), p.code, p.message, p.hint) for p in error.problems)
    except TypeError as error:  # orjson: an integer of more than 64 bits
        problems.append(spot.problem(("given",), "bad_value", str(error)))
    return []


def _event(given: Mapping[str, Any]) -> Event:
    """Return the event as it would arrive, through the decoder that the gateway uses."""
    document = {"specversion": "1.0", **_ENVELOPE, **given}
    if version := document.pop("version", None):
        document["dataschema"] = f"crossdock:/{given['type']}/{version}"
    return decode_structured(jsontext.dumps(document))
