"""The lanes of a worker, made of the content in force."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from crossdock.adapters.memory import MemoryLog
from crossdock.inforce import Content, InForce, Leaving
from crossdock.kernel.metrics import Metrics
from crossdock.pipeline.recorder import Recorder
from crossdock.supervisor.lanes import Lanes
from tests.smallproject import STOCK, project


class NoConsumers:
    """A topology in which no route has a consumer of its own."""

    async def exists(self, name: str) -> bool:
        return False


def test_a_removed_route_is_renewed_though_the_revision_that_had_it_does_not_load_any_more(tmp_path: Path) -> None:
    # given
    had, has_not = project(tmp_path / "one"), project(tmp_path / "two", {STOCK: None})
    log, leaving = MemoryLog(), {"stock": Leaving(had.revision, "discard", 5)}
    base = SimpleNamespace(
        content=Content(InForce(had.revision, 0), had),
        client=None,
        topology=NoConsumers(),
        streams=log,
        metrics=Metrics(),
        tracer=None,
    )

    async def scenario() -> None:
        lanes = Lanes(cast(Any, base), Recorder(log), 0, 1)
        lane = await lanes.lane(had.routes["stock"])
        # when
        lanes.use(Content(InForce(has_not.revision, 0, leaving=leaving), has_not, before={}))
        await lane.settle()
        lanes.renew(lane, lane.route)
        # then
        assert not lane.renewing
        await lanes.close()

    asyncio.run(scenario())
