"""What `scale` compares: for each dimension a base and what it is stretched to, and the content of each."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from bench.sales import PARTNER, Sale
from bench.stage import PROJECT

EVENTS_DIMENSIONS = ("backlog", "routes", "sources", "size", "keys")
DIMENSIONS = (*EVENTS_DIMENSIONS, "journal")
ROUTES = 3  # of the bench project
MOST = 1.25  # how much dearer an event may be than at the base

_OTHER = "inventory.counted"
_TOLD_APART = "pos/store-0042/till-"


@dataclass(frozen=True, slots=True)
class Case:
    """One point of a dimension; `most` is None where the cost of an event is not meant to stay the same.

    `same` and `other` count the further routes, of the same type with a `when` that is false and of another type. With
    `keys` all routes are ordered. `kib` is about the size of an event, 0 for that of the measures.
    """

    dimension: str
    name: str
    events: int
    same: int = 0
    other: int = 0
    sources: int = 1
    keys: int = 0
    kib: int = 0
    most: float | None = MOST


@dataclass(frozen=True, slots=True)
class Stretch:
    """How far each dimension goes; the tests choose less."""

    events: int = 60_000
    backlog: int = 600_000
    routes: int = 50
    sources: int = 200
    kib: int = 64
    big: int = 3_000  # events of that size: they fill a disk quickly
    keys: Sequence[int] = (100, 10_000)
    serial: int = 6_000  # events of one key, which wait for each other
    rows: Sequence[int] = (100_000, 1_000_000, 5_000_000)


def cases(dimension: str, stretch: Stretch) -> list[Case]:
    """Return the points of a dimension, the base first."""
    events, further = stretch.events, stretch.routes - ROUTES
    same = (further + 1) // 2
    found = {
        "backlog": [
            Case(dimension, f"{events:,} events", events),
            Case(dimension, f"{stretch.backlog:,} events", stretch.backlog),
        ],
        "routes": [
            Case(dimension, f"{ROUTES} routes", events),
            Case(dimension, f"{ROUTES} + {further - same} of another type", events, other=further - same),
            Case(dimension, f"those + {same} that do not match", events, same=same, other=further - same, most=None),
        ],
        "sources": [
            Case(dimension, "1 source", events),
            Case(dimension, f"{stretch.sources} sources", events, sources=stretch.sources),
        ],
        "size": [
            Case(dimension, "0.6 KiB", events),
            Case(dimension, f"{stretch.kib} KiB", stretch.big, kib=stretch.kib, most=None),
        ],
        "keys": [
            Case(dimension, "unordered", events),
            Case(dimension, "1 key", stretch.serial, keys=1, most=None),
            *(Case(dimension, f"{keys:,} keys", events, keys=keys) for keys in stretch.keys),
        ],
    }
    return found[dimension]


def write_content(case: Case, folder: Path) -> Path:
    """Derive the content of a case from the bench project; return where it is."""
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("*.test.yaml"))  # those are of its own content
    if case.same or case.other:
        _write_routes(case, folder)
    if case.other:  # a route's type must come from somewhere
        tills = folder / "gateway" / "tills.yaml"
        tills.write_text(tills.read_text().replace("[pos.sale]", f"[pos.sale, {_OTHER}]"))
    if case.sources > 1:
        _write_sources(case, folder)
    if case.kib:
        schema = folder / "schemas" / "pos.sale" / "1.0.json"
        schema.write_text(schema.read_text().replace('"maxItems": 500', '"maxItems": 5000'))
    if case.keys:
        routes = folder / "routes" / "targets.yaml"
        routes.write_text(routes.read_text().replace("    to:", "    order_by: location\n    to:"))
    return folder


def _write_routes(case: Case, folder: Path) -> None:
    schema = (folder / "schemas" / "inventory.sold" / "1.0.json").read_text().replace("inventory.sold", _OTHER)
    (folder / "schemas" / _OTHER).mkdir()
    (folder / "schemas" / _OTHER / "1.0.json").write_text(schema)
    types = ["inventory.sold"] * case.same + [_OTHER] * case.other
    routes = [
        {"route": f"further-{number}", "from": [type_], "when": f'location = "DEPOT-{number:04}"', "to": "erp"}
        for number, type_ in enumerate(types)
    ]
    (folder / "routes" / "further.yaml").write_bytes(orjson.dumps({"routes": routes}))  # JSON is YAML


def _write_sources(case: Case, folder: Path) -> None:
    (folder / "gateway" / "tills.yaml").unlink()
    for number in range(case.sources):
        source = {
            "source": f"till-{number:03}",
            "partner": PARTNER,
            "accept": "cloudevents",
            "types": ["pos.sale"],
            "verify": {"api_key": True},
            "match": f"{_TOLD_APART}{number:03}",
        }
        (folder / "gateway" / f"till-{number:03}.yaml").write_bytes(orjson.dumps(source))


def shaped(case: Case, sale: Sale, number: int) -> Sale:
    """Return a sale as a case wants it: from one of its sources, of one of its keys, of its size."""
    if case.sources == 1 and not case.keys and not case.kib:
        return sale
    document = orjson.loads(sale.body)
    data = document["data"]
    if case.sources > 1:
        document["source"] = f"{_TOLD_APART}{number % case.sources:03}"
    if case.keys:
        data["store"] = f"{number % case.keys:04}"
    if case.kib:
        line = len(orjson.dumps(data["lines"])) / len(data["lines"])
        data["lines"] *= max(1, round(case.kib * 1024 / line / len(data["lines"])))
    return Sale(sale.id, orjson.dumps(document), sale.targets, sale.broken)
