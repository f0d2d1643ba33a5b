"""Sources, the inbound entry points of partners, read from `gateway/*.yaml`; gateway, pipeline and project use them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crossdock.kernel.content import Spot, names, read_all, read_schema
from crossdock.kernel.problems import Refused
from crossdock.kernel.units import seconds, size

FOLDER = "gateway"
MAX_BODY = 512 << 10
_SCHEMA = read_schema(Path(__file__).parents[1] / FOLDER)


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """What one source may send; `types` are pairs of type and pinned version, limits in bytes and events.

    `match` is how the events' `source` attribute begins, `dedupe_window` is in seconds.
    """

    name: str
    partner: str
    accept: str
    types: tuple[tuple[str, str], ...]
    match: str
    body_limit: int
    batch_limit: int
    dedupe_window: float
    spot: Spot = field(repr=False, compare=False)

    def pin(self, type_: str) -> str:
        """Return the version that is meant when an event does not say it; empty for the newest."""
        return dict(self.types).get(type_, "")


def load(root: Path) -> tuple[SourceSpec, ...]:
    """Return the sources of a project.

    Raises:
        Refused: with every problem of every file.
    """
    documents, problems = read_all(names(root, FOLDER), root, _SCHEMA)
    sources = [_source(Spot(document)) for document in documents]
    for source in sources:
        known = [type_ for type_, _ in source.types]
        if len(set(known)) < len(known):
            problems.append(source.spot.problem(("types",), "duplicate_name", "a type is listed twice"))
        if source.body_limit > MAX_BODY:
            hint = "the broker must hold it, and a dead letter of it"
            problems.append(source.spot.problem(("limits", "body"), "bad_value", f"at most {MAX_BODY >> 10}KiB", hint))
    if problems:
        raise Refused(problems)
    return tuple(sources)


def _source(spot: Spot) -> SourceSpec:
    value: dict[str, Any] = spot.value()
    limits = value.get("limits", {})
    pairs = [text.partition("@") for text in value["types"]]
    return SourceSpec(
        value["source"],
        value["partner"],
        value["accept"],
        tuple((type_, pin) for type_, _, pin in pairs),
        value.get("match", ""),
        size(limits.get("body", "256KiB")),
        limits.get("batch", 1000),
        seconds(value.get("dedupe", {}).get("window", "7d")),
        spot,
    )
