"""Lookups of a worker while its content changes."""

import asyncio
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from crossdock.adapters.consumers import TABLE, consumers
from crossdock.kernel.metrics import Metrics
from crossdock.project import Project, load, read
from crossdock.supervisor import probes
from crossdock.supervisor.tables import Tables
from tests.pipeline.parkingscene import PARKED, Scene
from tests.pipeline.test_parking import parked
from tests.realservers import clean
from tests.smallproject import ENV, edited, sale, write

ASKED = {
    "transforms/sale.yaml": """\
transform: sale
from: pos.sale@1
to: inventory.sold@1
lookups: {item: {sql: {url: "${MASTER}", query: select * from items}}, price: {events: price.set, key: gtin}}
map: |
  { "location": "STORE-" & store, "lines": lines.{ "item": $lookup("item", gtin).sku, "quantity": qty }[] }
"""
}
OTHER_MAP = {"transforms/sale.yaml": ASKED["transforms/sale.yaml"].replace('"STORE-"', '"SHOP-"')}
NO_PRICE = {
    "transforms/sale.yaml": ASKED["transforms/sale.yaml"].replace(", price: {events: price.set, key: gtin}", "")
}
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
            await tables.tidy(processes=True)
            await scene.replayed(3)
            await tables.close()

    asyncio.run(scenario())
    assert [outcome for _, outcome in scene.outcomes()] == ["dead_lettered", "routed", "replayed", "routed"]


def test_a_table_that_stays_is_not_asked_again_and_goes_on_one_that_is_not_used_any_more_ends(
    nats_url: str, tmp_path: Path
) -> None:
    database = tmp_path / "m.db"
    with sqlite3.connect(database) as connection:
        connection.executescript("create table items (gtin, sku); insert into items values ('1', 'TEA')")
    connection.close()
    env = {**ENV, "MASTER": f"sqlite:///{database}"}
    projects = [
        read(write(tmp_path / str(n), files), env).project for n, files in enumerate((ASKED, OTHER_MAP, NO_PRICE))
    ]

    async def scenario() -> None:
        async with clean(nats_url) as (client, topology):
            here: Any = SimpleNamespace(client=client, topology=topology, streams=None, metrics=Metrics())
            tables = Tables(here)

            async def fed() -> bool:
                return any(info.name.startswith(TABLE) for info in await consumers(client))

            # given
            await tables.open(projects[0], processes=True)
            await tables.tidy(processes=True)
            # when the database is away while other content comes
            database.unlink()
            async with asyncio.timeout(5):
                await tables.open(projects[1], processes=True)
            # then
            assert item(projects[1]) == item(projects[0]) == "TEA"
            # when a table is not used any more, then it is kept up until nobody works by the content before
            await tables.tidy(processes=True)
            await tables.open(projects[2], processes=True)
            async with asyncio.timeout(8):
                await probes.until(fed)
            await tables.tidy(processes=True)
            assert not await fed()
            await tables.close()

    asyncio.run(scenario())


def item(project: Project) -> Any:
    return project.transforms["pos.sale", 1].mapping.lookups.find("item", "1")["sku"]
