"""Backfills that a person, a removed route or the end of the process stops."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from routes.spec import Route
from tests.pipeline.test_backfill import Scene, quick
from tests.realservers import until

__all__ = ["quick"]


def test_one_that_is_stopped_sends_no_more_and_a_second_one_waits_for_that(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    room = asyncio.Event()

    async def unread(_: Route) -> int:
        return 0 if room.is_set() else 10**6

    scene.store.unread = unread  # type: ignore[method-assign]

    async def act() -> None:
        for number in range(7):
            await scene.add(str(number))
        await scene.backfill()
        assert await scene.backfiller.start(await scene.backfiller.plan(scene.route, None, None)) is None
        stopped = await scene.backfiller.stop("stock")
        assert stopped is not None
        assert stopped.state == "stopped"
        async with asyncio.timeout(5):  # it does not wait for room first, which a paused route may not have for days
            await asyncio.wait(set(scene.backfiller._tasks))
        assert scene.copies() == []
        room.set()
        await scene.backfill()
        assert (await scene.ended()).sent == 7
        await scene.backfiller.close()

    asyncio.run(act())


@pytest.mark.parametrize("room", [True, False])
def test_one_whose_route_is_removed_meanwhile_is_stopped_and_sends_no_more(tmp_path: Path, room: bool) -> None:
    scene = Scene(tmp_path)

    async def unread(_: Route) -> int:
        if len(scene.copies()) >= 2:
            scene.project = replace(scene.project, routes={})  # between the first page and the second
        return 0 if room or scene.project.routes else 10**6

    scene.store.unread = unread  # type: ignore[method-assign]

    async def act() -> None:
        for number in range(7):
            await scene.add(str(number))
        await scene.backfill()
        assert (await scene.ended()).state == "stopped"

    asyncio.run(act())
    assert len(scene.copies()) == (4 if room else 2)


def test_one_that_was_stopped_and_started_again_ends_whole_with_the_process(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def act() -> None:
        for number in range(7):
            await scene.add(str(number))
        # given two that hang in what they send, of which the first is stopped
        scene.streams.broken = 2
        before = asyncio.all_tasks()
        await scene.backfill()
        await until(lambda: scene.streams.broken == 1, within=5)
        await scene.backfiller.stop("stock")
        await scene.backfill()
        await until(lambda: scene.streams.broken == 0, within=5)
        assert len(asyncio.all_tasks() - before) == 2
        # when
        await scene.backfiller.close()
        # then
        assert asyncio.all_tasks() == before

    asyncio.run(act())
