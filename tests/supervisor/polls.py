"""A polled source of a small project in memory, for the tests of polling."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, cast

from connectors.port import Fault, Marked, Outside
from crossdock.adapters.memory import MemoryLog
from crossdock.kernel.metrics import Metrics
from crossdock.pipeline.recorder import Recorder
from crossdock.project import Project
from crossdock.supervisor.polling import Polling
from tests.realservers import until
from tests.smallproject import TILLS, project

SOURCE = """\
source: tills
partner: stores
accept: webhook
types: [pos.sale]
poll: {connector: archive, every: 1s}
event: {id: 'body.store & "/" & body.receipt', type: '"pos.sale"'}
"""
ARCHIVE = """\
connector: archive
kind: sql
url: sqlite:////nowhere/archive.db
poll: {query: select 1, watermark: receipt, limit: 2}
"""


def small(root: Path, source: str = SOURCE, archive: str = ARCHIVE) -> Project:
    return project(root, {TILLS: source, "connectors/archive.yaml": archive})


def sale(receipt: int, **changes: Any) -> dict[str, Any]:
    return {"store": "0042", "receipt": f"{receipt:03}", "lines": [{"gtin": "1", "qty": 2}]} | changes


class Archive:
    """A database of sales, and the outside world that leads to it."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.rows = list(rows)
        self.away = ""
        self.reads = self.open = self.opened = 0

    def database(self, _: Any) -> "Archive":
        self.open += 1
        self.opened += 1
        return self

    async def read(self, query: str, watermark: str, start: str, most: int) -> list[Marked]:
        self.reads += 1
        if self.away:
            raise Fault("retry", self.away)
        found = [Marked(str(row[watermark]), row) for row in self.rows if str(row[watermark]) >= start]
        return found[:most]

    async def close(self) -> None:
        self.open -= 1


class Marks(dict[str, str]):
    async def get(self, name: str) -> str:  # type: ignore[override]
        return self.setdefault(name, "")

    async def put(self, name: str, position: str) -> None:
        self[name] = position


class Scene:
    """Polling of a small project in memory."""

    def __init__(self, project_: Project, archive: Archive) -> None:
        self.project, self.archive = project_, archive
        self.log, self.journal, self.marks, self.metrics = MemoryLog(), MemoryLog(), Marks(), Metrics()
        self.polling = self.made()

    def made(self) -> Polling:
        return Polling(
            cast(Outside, self.archive), cast(Any, self.marks), self.log, Recorder(self.journal), self.metrics
        )

    @property
    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = self.polling.state()["tills"]
        return found

    @property
    def ids(self) -> list[str]:
        return [record.headers["ce-id"] for record, _ in self.log.records]

    def run(self, act: Callable[["Scene"], Coroutine[Any, Any, None]]) -> "Scene":
        async def main() -> None:
            await self.polling.use(self.project)
            try:
                await act(self)
            finally:
                await self.polling.close()

        asyncio.run(main())
        return self


async def polled(scene: Scene) -> None:
    await until(lambda: scene.state["last_success"] > 0)
