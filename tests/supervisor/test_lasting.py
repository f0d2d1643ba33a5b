"""What has no end begins again when it breaks off, and ends when it is told to."""

import asyncio
import logging

import pytest

from crossdock.supervisor.lasting import lasting


def test_work_that_breaks_off_is_logged_and_begins_again(caplog: pytest.LogCaptureFixture) -> None:
    begun = []

    async def work() -> None:
        begun.append(1)
        if len(begun) < 3:
            raise KeyError("a record of another version")

    with caplog.at_level(logging.ERROR):
        asyncio.run(asyncio.wait_for(lasting(work, 0), 5))
    assert (len(begun), len(caplog.records), "a record of another version" in caplog.text) == (3, 2, True)


def test_work_that_is_cancelled_ends() -> None:
    async def scenario() -> None:
        begun = asyncio.Event()

        async def work() -> None:
            begun.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(lasting(work, 0))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
