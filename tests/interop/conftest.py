"""One small installation for all tests of this folder, with sources of its own beside the shipped ones."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import pytest

from tests.faults.installation import Site, running
from tests.interop.sources import SOURCES

T = TypeVar("T")
Scenario = Callable[[Site], Coroutine[Any, Any, T]]
Act = Callable[[Scenario[Any]], Any]
_EVENTS = 30_000  # of all tests together, for the time that the installation may live


@pytest.fixture(scope="session")
def act(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Act]:
    """Return what carries out a scenario on the installation; every test has partners or ids of its own."""
    with asyncio.Runner() as runner:
        loop, over = runner.get_loop(), asyncio.Event()
        ready: asyncio.Future[Site] = loop.create_future()
        life = loop.create_task(_live(tmp_path_factory, ready, over))

        async def started() -> Site:
            await asyncio.wait((life, ready), return_when=asyncio.FIRST_COMPLETED)
            return await ready if ready.done() else await life

        site = runner.run(started())
        yield lambda scenario: runner.run(scenario(site))
        over.set()
        runner.run(asyncio.wait_for(life, 90))


async def _live(folders: pytest.TempPathFactory, ready: "asyncio.Future[Site]", over: asyncio.Event) -> Any:
    async with running(folders.mktemp("interop"), events=_EVENTS, more=SOURCES) as site:
        for partner in ("vans", "counter"):
            site.keys[partner] = await site.make_key(partner)
        ready.set_result(site)
        await over.wait()
