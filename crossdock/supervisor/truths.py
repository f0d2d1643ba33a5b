"""The metrics of the whole installation, kept by the operations role: ledger gap, lag, age, open dead letters."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Mapping

from prometheus_client import Gauge

from console.desk import Desk
from crossdock.adapters.ages import ages
from crossdock.kernel.problems import Unavailable
from crossdock.supervisor.base import Base
from journal import entry

log = logging.getLogger(__name__)

EVERY = 5.0  # seconds
Place = tuple[str, ...]


async def truths(here: Base, desk: Desk) -> None:
    """Refresh the metrics until cancelled."""
    while True:
        try:
            await _refresh(here, desk)
        except Unavailable as error:
            log.warning("metrics: %s", error)
        await asyncio.sleep(EVERY)


async def _refresh(here: Base, desk: Desk) -> None:
    waiting = await desk.lags()
    oldest = desk.ages = await ages(here.client, desk.project)
    put(here.metrics.lag, {(name,): lag.waiting for name, lag in waiting.items()})
    put(here.metrics.oldest_age, {(name,): age for name, age in oldest.items()})
    sources, routes = desk.project.sources, desk.project.routes
    ledger = desk.last_ledger()
    gaps = Counter(dict.fromkeys(_all(sources, routes), 0))
    for gap in ledger.gaps if ledger else ():
        gaps[gap["source"], gap["route"]] += gap["events"]
    if ledger and not ledger.young:  # none is better than a 0 that ends what fires
        put(here.metrics.ledger_gap, gaps)
    letters = Counter(dict.fromkeys(_all(sources, routes), 0))
    for stage, name, count in (await asyncio.to_thread(desk.journal.counts))["letters"]:
        letters[("", name) if stage == entry.DELIVER else (name, "")] += count
    put(here.metrics.open_letters, letters)


def put(gauge: Gauge, values: Mapping[Place, float]) -> None:
    """Set a gauge to values by its labels; what has none any more is gone."""
    for sample in next(iter(gauge.collect())).samples:
        place = tuple(sample.labels[name] for name in gauge._labelnames)
        if place not in values:
            gauge.remove(*place)
    for place, value in values.items():
        gauge.labels(*place).set(value)


def _all(sources: Iterable[str], routes: Iterable[str]) -> list[Place]:
    return [*((source, "") for source in sources), *(("", route) for route in routes)]
