"""Drift, lateness and refusals of the running installation; the operations role runs it."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping

from crossdock.adapters import refusals
from crossdock.adapters.rawsample import RawSample
from crossdock.adapters.records import NatsRecords
from crossdock.adapters.reports import Reports
from crossdock.adapters.topology import DRIFT
from crossdock.kernel.problems import Unavailable
from crossdock.pipeline.drifting import Drifts
from crossdock.pipeline.driftstore import Known
from crossdock.pipeline.recorder import now_ms
from crossdock.pipeline.tally import UNVERIFIED
from crossdock.project import Project
from crossdock.supervisor.base import Base

log = logging.getLogger(__name__)

TALLY_EVERY = 20.0  # seconds; what a gateway counted since its last report and its end is lost
_UNVERIFIED = "crossdock_unverified"

Said = Mapping[str, Mapping[tuple[str, str, str], int]]


def make(here: Base, project: Callable[[], Project]) -> Drifts:
    """Return what looks at a sample of RAW."""
    return Drifts(RawSample(here.client), Known(NatsRecords(here.client, DRIFT)), project)


async def run(here: Base, drifts: Drifts, heard: Reports, project: Callable[[], Project]) -> None:
    """Look at events, and count what gateways refuse, until cancelled."""
    while True:
        try:
            await drifts.known.load()
            break
        except Unavailable as error:
            log.info("drift: %s", error)
            await asyncio.sleep(1)
    await refusals.listen(here.client, drifts.refused)
    looking = asyncio.create_task(drifts.run())
    try:
        while True:
            await asyncio.sleep(TALLY_EVERY)
            try:
                drifts.known.refused(_by_partner(heard.refusals(), project()), now_ms())
            except Exception:
                log.exception("drift: what gateways refused could not be counted")  # and must not end the looks beside
    finally:
        looking.cancel()


def _by_partner(said: Said, project: Project) -> dict[str, dict[tuple[str, str], int]]:
    """Return the counters by partner and code."""
    found: dict[str, dict[tuple[str, str], int]] = {}
    for process, counters in said.items():
        counts = Counter[tuple[str, str]]()
        for (name, whose, code), number in counters.items():
            if name == _UNVERIFIED:
                spec = project.sources.get(whose)
                counts[spec.partner if spec else "", f"{UNVERIFIED}{code}"] += number
            else:
                counts[whose, code] += number
        found[process] = dict(counts)
    return found
