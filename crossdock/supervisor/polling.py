"""Polls connectors for sources; run by the seat that processes, of which an installation has one."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping
from typing import Any, Protocol

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential_jitter

from connectors.kinds import open_origin
from connectors.port import Origin, Outside
from connectors.spec import ConnectorSpec
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Log
from crossdock.kernel.tracing import Tracer
from crossdock.pipeline.commit import GroupCommit
from crossdock.pipeline.recorder import Recorder
from crossdock.project import Project
from crossdock.source import SourceSpec
from crossdock.sourceparts import Poll
from gateway.intake import Intake
from gateway.polled import Taker
from gateway.storing import Storing

log = logging.getLogger(__name__)

LOTS = 100  # at most without a pause; an origin may bring the same again and again
LONGEST = 300.0  # seconds between tries of an origin that is away
GRACE = 5.0  # seconds that a lot under way has when its poller is to end


class Marks(Protocol):
    """Where polls go on, by source and connector."""

    async def get(self, name: str) -> str:
        """Return the position, empty at the very first."""

    async def put(self, name: str, position: str) -> None:
        """Keep the position."""


class Poller:
    """Asks one origin for one source, one lot after the other, and never two at a time."""

    def __init__(self, source: SourceSpec, poll: Poll, origin: Origin, marks: Marks, metrics: Metrics) -> None:
        self.taker: Taker
        self.state: dict[str, Any] = {"connector": poll.connector, "last_success": 0, "items": 0, "quarantined": 0}
        self._name = source.name
        self._key = f"{source.name}.{poll.connector}"
        self._every = poll.every
        self._origin = origin
        self._marks = marks
        self._metrics = metrics
        self._over = asyncio.Event()
        self._task = asyncio.ensure_future(self._run())

    async def stop(self) -> None:
        """End after the lot under way, if that does not take long; else it comes again."""
        self._over.set()
        await asyncio.wait([self._task], timeout=GRACE)
        self._task.cancel()
        await asyncio.wait([self._task])
        await self._origin.close()

    async def _run(self) -> None:
        while not self._over.is_set():
            retrying = AsyncRetrying(
                retry=retry_if_exception_type(Unavailable),
                wait=wait_exponential_jitter(initial=1, max=max(LONGEST, self._every)),
                sleep=self._pause,
                before_sleep=self._away,
            )
            await retrying(self._poll)
            await self._pause(self._every)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)

    async def _poll(self) -> None:
        """Take what there is.

        Raises:
            Unavailable: the origin or the broker is away.
        """
        for _ in range(LOTS):
            if self._over.is_set():
                return
            try:
                more = await self._take()
            except Unavailable:
                raise
            except Exception as error:  # one origin that breaks harms no other, and no delivery
                log.exception("source %s: the poll of %s broke", self._name, self.state["connector"])
                raise Unavailable(f"broke: {type(error).__name__}") from error
            self._succeeded()
            if not more:
                return

    async def _take(self) -> bool:
        position = await self._marks.get(self._key)
        lot = await self._origin.take(position)
        if lot is None:
            return False
        taken, quarantined = await self.taker.take(lot)
        if lot.position and lot.position != position:
            await self._marks.put(self._key, lot.position)
        await self._origin.done(lot)
        self.state["items"] += taken
        self.state["quarantined"] += quarantined
        self._metrics.polled.labels(self._name).inc(taken)
        return True

    def _succeeded(self) -> None:
        self.state["last_success"] = int(time.time() * 1000)
        self.state.pop("away", None)
        self._metrics.poll_success.labels(self._name).set_to_current_time()

    def _away(self, call: RetryCallState) -> None:
        error = call.outcome.exception() if call.outcome else None
        self.state["away"] = str(error)
        self._metrics.polls_failed.labels(self._name).inc()
        log.warning("source %s: %s", self._name, error)


class Polling:
    """The pollers of the content in force; what did not change in it goes on."""

    def __init__(
        self,
        outside: Outside,
        marks: Marks,
        streams: Log,
        recorder: Recorder,
        metrics: Metrics,
        tracer: Tracer | None = None,
    ) -> None:
        self._outside = outside
        self._marks = marks
        self._raw = GroupCommit(streams)
        self._recorder = recorder
        self._metrics = metrics
        self._tracer = tracer
        self._pollers: dict[str, tuple[Any, Poller]] = {}

    async def use(self, project: Project) -> None:
        """Go over to other content."""
        intake = Intake(project)
        storing = Storing(self._raw, self._recorder, self._metrics, project.revision, self._tracer)
        wanted = {one.name: one for one in project.sources.values() if one.poll}
        said = {name: (one.spot.value(), project.connectors[_poll(one).connector]) for name, one in wanted.items()}
        for name in [name for name, (what, _) in self._pollers.items() if said.get(name) != what]:
            await self._pollers.pop(name)[1].stop()
        for name, source in wanted.items():
            if name not in self._pollers:
                self._pollers[name] = said[name], self._open(source, said[name][1])
            self._pollers[name][1].taker = Taker(source, intake, storing)

    def state(self) -> Mapping[str, Any]:
        """Return for each polled source when it last heard of its origin, and what came since the start."""
        return {name: poller.state for name, (_, poller) in self._pollers.items()}

    async def close(self) -> None:
        """End all."""
        await asyncio.gather(*(poller.stop() for _, poller in self._pollers.values()))
        await self._raw.close()

    def _open(self, source: SourceSpec, spec: ConnectorSpec) -> Poller:
        return Poller(source, _poll(source), open_origin(spec, self._outside), self._marks, self._metrics)


def _poll(source: SourceSpec) -> Poll:
    assert source.poll is not None
    return source.poll
