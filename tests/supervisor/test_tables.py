"""Lookups of a worker while its content changes."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from crossdock.kernel.metrics import Metrics
from crossdock.project import load
from crossdock.supervisor.tables import Tables
from tests.pipeline.parkingscene import PARKED, Scene
from tests.pipeline.test_parking import parked
from tests.realservers import clean
from tests.smallproject import ENV, edited, sale, write

WITH_THE_ROW = PARKED | edited("transforms/lookups/items.csv", "2,TEA,Tea", "99,CAKE,Cake")


def test_what_is_parked_goes_on_with_other_tables_when_events_are_processed_with_them(
    nats_url: str, tmp_path: Path
) -> None:
    scene = Scene(tmp_path / "before")
    after = load(write(tmp_path / "after", WITH_THE_ROW), ENV)

    async def scenario() -> None:
        async with clean(nats_url) as (client, topology):
            here: Any = SimpleNamespace(client=client, topology=topology, streams=None, metrics=Metrics())
            tables = Tables(here)
            tables.parking = scene.parking
            await tables.open(scene.project, processes=True)
            await parked(scene)
            await tables.open(after, processes=True)
            await scene.store(sale("1", id="s-2"))
            await scene.run(await scene.inbox.fetch(10, 0.1))
            assert len(scene.raw.records) == 2
            scene.processor.use(after)
            await scene.replayed(3)
            await tables.close()

    asyncio.run(scenario())
    assert [outcome for _, outcome in scene.outcomes()] == ["dead_lettered", "routed", "replayed", "routed"]
