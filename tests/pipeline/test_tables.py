"""A table of events: every event of its type makes a row, the one that happened last holds, and nothing stops it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from crossdock.adapters.memory import MemoryInbox, MemoryLog
from crossdock.adapters.memorytables import MemoryRows
from crossdock.kernel.event import Event, encode_structured
from crossdock.kernel.expression import Expression
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Inbox, Record
from crossdock.pipeline import tables
from crossdock.pipeline.tables import TableFeed, TableMirror
from crossdock.worker import Part
from tests.realservers import until
from tests.smallproject import only, project, source, write_schema
from transforms.lookups import Fed, Table

ITEM = {"type": "object", "properties": {"gtin": {"type": "string"}}, "required": ["gtin"]}
MASTER = "gateway/master.yaml"
LOOKUP = """\
transform: sale
from: pos.sale@1
to: inventory.sold@1
lookups: {item: {events: item.updated, key: gtin}}
map: |
  {"location": store, "lines": lines.{"item": $lookup("item", gtin).sku}[]}
"""


class Scene:
    """EVENTS, a table and what feeds it."""

    def __init__(self, rows: MemoryRows | None = None) -> None:
        self.events = MemoryLog()
        self.table = Table("events-1", "item.updated", Fed("item.updated", Expression("gtin")))
        self.metrics = Metrics()
        self.rows = rows or MemoryRows()
        self.heard: list[str] = []
        self.opened = 0

    async def updated(self, time: str, **data: Any) -> None:
        event = Event(f"i-{len(self.events.records)}", "/erp", "item.updated", data, time)
        await self.events.append(Record("event.item.updated", encode_structured(event), event.id))

    async def fed(self, **expected: Any) -> None:
        """Feed and mirror until the table has these rows."""
        mirror = TableMirror(self.table, self.rows, lambda _, keys: self.heard.extend(keys), self.metrics)
        parts: list[Part] = [mirror, TableFeed(self.table, self._open, self.rows, self.metrics)]
        running = [asyncio.create_task(part.run()) for part in parts]
        try:
            await until(lambda: {key: row.get("sku") for key, row in self.table.rows.items()} == expected, within=5)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _open(self) -> Inbox:
        self.opened += 1
        return MemoryInbox(self.events)


def test_the_newest_by_the_time_of_the_event_holds(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = Scene()
        await scene.updated("2026-01-02T00:00:00Z", gtin="1", sku="NEW")
        await scene.updated("2026-01-01T23:59:59Z", gtin="1", sku="OLD")
        await scene.updated("2026-01-01T00:00:00Z", gtin="2", sku="A")
        await scene.updated("2026-01-01T01:00:00+01:00", gtin="2", sku="B")
        await scene.fed(**{"1": "NEW", "2": "B"})
        assert set(scene.heard) == {"1", "2"}

    asyncio.run(scenario())


def test_integers_beyond_doubles_become_their_digits() -> None:
    async def scenario() -> None:
        scene = Scene()
        await scene.updated("2026-01-01T00:00:00Z", gtin="1", sku="A", deep=[{"n": 2**60}], n=7)
        await scene.fed(**{"1": "A"})
        assert (scene.table.rows["1"]["deep"], scene.table.rows["1"]["n"]) == ([{"n": str(2**60)}], 7)

    asyncio.run(scenario())


def test_an_event_that_makes_no_row_is_counted_and_holds_up_no_other() -> None:
    async def scenario() -> None:
        scene = Scene()
        await scene.updated("2026-01-01T00:00:00Z", sku="NO KEY")
        await scene.events.append(Record("event.item.updated", b"not an event", "x"))
        await scene.updated("2026-01-01T00:00:00Z", gtin="1", sku="A")
        await scene.fed(**{"1": "A"})
        assert b'crossdock_lookup_unfed_total{table="item.updated"} 2.0' in scene.metrics.text()
        assert b'crossdock_lookup_rows{table="item.updated"} 1.0' in scene.metrics.text()

    asyncio.run(scenario())


def test_a_broker_that_is_away_delays_the_rows_and_the_consumer_is_opened_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Away(MemoryRows):
        refused = 0

        async def put(self, table, rows):  # type: ignore[no-untyped-def]
            if not self.refused:
                self.refused += 1
                raise Unavailable("away")
            await super().put(table, rows)

    async def scenario() -> None:
        scene = Scene(Away())
        await scene.updated("2026-01-01T00:00:00Z", gtin="1", sku="A")
        await scene.fed(**{"1": "A"})
        assert scene.opened == 2

    monkeypatch.setattr(tables, "AWAY", 0.01)
    asyncio.run(scenario())


def test_a_type_that_only_a_lookup_wants_is_canonical(tmp_path: Path) -> None:
    write_schema(tmp_path, "item.updated", "1.0", ITEM)
    master = source("master", "erp").replace("pos.sale", "item.updated")
    loaded = project(tmp_path, {MASTER: master, "transforms/sale.yaml": LOOKUP})
    event = Event("i-1", "/erp", "item.updated", {"gtin": "1"})
    assert loaded.canonical(event, loaded.check(event)) is event


def test_a_lookup_of_a_type_that_nobody_sends_is_placed(tmp_path: Path) -> None:
    problem = only(tmp_path, {"transforms/sale.yaml": LOOKUP, "transforms/sale.test.yaml": None})
    assert (problem.code, problem.file, problem.line, problem.column) == ("unknown_type", "transforms/sale.yaml", 4, 18)
