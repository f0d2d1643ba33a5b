"""How large the measures are; the command line and the tests choose."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """`alone` holds the workers still during `ingest`; `own_loader` does without wrk; `within` bounds each run."""

    events: int = 60_000
    warm_events: int = 2_000
    repeats: float = 0.10
    broken: float = 0.001
    ingest_seconds: int = 10
    latency_seconds: float = 20
    warm_seconds: int = 3
    rate: float = 500
    alone: bool = False
    own_loader: bool = False
    within: float = 300
