"""Sizes of the measures in tests: as small as still says something."""

from bench.size import Size

SMALL = Size(
    events=300,
    warm_events=50,
    broken=0.01,
    ingest_seconds=1,
    latency_seconds=2,
    warm_seconds=1,
    rate=100,
    own_loader=True,  # wrk is not everywhere
    quiet=False,
    within=60,
)
