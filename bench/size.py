"""How large the measures are, and what they compare; the command line and the tests choose."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CROSSDOCK, HANDWRITTEN = "crossdock", "handwritten"
DEFAULT_SYNC = "2m"  # what nats-server does when it is told nothing; the peers run with it
CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Entry:
    """One contender: `who`, when its broker writes to disk, and from how many connections `ingest` loads it."""

    who: str
    sync: str = DEFAULT_SYNC
    connections: int = CONNECTIONS

    @property
    def label(self) -> str:
        """How tables name it."""
        more = f", {self.connections} connections" if self.connections != CONNECTIONS else ""
        return f"{self.who} {self.sync}{more}"


@dataclass(frozen=True, slots=True)
class Size:
    """`busy` lets the workers run during `ingest`; `sink` is the peers' program; `within` bounds each run."""

    events: int = 60_000
    warm_events: int = 2_000
    handwritten_events: int = 12_000
    handwritten_down: int = 800
    repeats: float = 0.10
    broken: float = 0.001
    ingest_seconds: int = 20
    latency_seconds: float = 20
    warm_seconds: int = 3
    rate: float = 500
    workers: int = 1
    gateways: int = 1
    busy: bool = False
    own_loader: bool = False
    sink: Path | None = None
    quiet: bool = True
    within: float = 420

    def messages(self, measure: str, entry: Entry) -> int:
        """Return how many messages fill RAW: fewer for what would take too long."""
        if entry.who != HANDWRITTEN:
            return self.events
        return min(self.events, self.handwritten_down if measure == "down" else self.handwritten_events)


def conditions(size: Size) -> Mapping[str, str]:
    """Return what the figures depend on beside the machine."""
    return {"loader": "own" if size.own_loader else "wrk", "sink": size.sink.name if size.sink else "own"}
