"""Keepers: restart, readiness, patience and its end."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from crossdock.kernel.problems import Refused
from crossdock.supervisor import children, datafolder, logs, probes
from crossdock.supervisor.children import Child, Keeper, backoff

READY = "import os; os.write(int(os.environ['CROSSDOCK_READY_FD']), b'ready\\n');"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
WAIT = "import time; time.sleep(60)"


@asynccontextmanager
async def kept(data: Path, code: str) -> AsyncIterator[tuple[Keeper, asyncio.Task[None]]]:
    logs.rotate(data, "one")
    lock = os.open(data, os.O_RDONLY)
    keeper = Keeper(Child("one", (sys.executable, "-c", code)), data, lock, changed=lambda: None)
    task = asyncio.create_task(keeper.run())
    try:
        async with asyncio.timeout(20):
            yield keeper, task
            await keeper.stop()
            await task
    finally:
        os.close(lock)


async def until(seen: Callable[[], bool]) -> None:
    async def probe() -> bool:
        return seen()

    await probes.until(probe)


def test_a_child_is_ready_when_it_says_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with kept(tmp_path, READY + WAIT) as (keeper, _):
            await keeper.ready.wait()
            assert keeper.pid

    asyncio.run(scenario())


def test_a_child_that_only_runs_is_not_ready(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with kept(tmp_path, "print('here', flush=True);" + WAIT) as (keeper, _):
            await until(lambda: bool(logs.tail(tmp_path, "one")))
            assert not keeper.ready.is_set()

    asyncio.run(scenario())


def test_a_child_that_dies_is_started_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with kept(tmp_path, READY + WAIT) as (keeper, _):
            await keeper.ready.wait()
            first = keeper.pid
            os.kill(first, 9)
            await until(lambda: keeper.pid not in (0, first))

    asyncio.run(scenario())


def test_a_child_that_was_ready_once_is_never_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "_MOST", 0.01)

    async def scenario() -> None:
        async with kept(tmp_path, READY + "print('ran', flush=True)") as (_, task):
            await until(lambda: len(logs.tail(tmp_path, "one")) > children.MOST_CRASHES + 1)
            assert not task.done()

    asyncio.run(scenario())


def test_a_child_that_is_never_ready_is_given_up_after_five_crashes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "_MOST", 0.01)

    async def scenario() -> None:
        async with kept(tmp_path, "print('ran')") as (_, task):
            await task
            assert len(logs.tail(tmp_path, "one")) == 5

    asyncio.run(scenario())


def test_a_program_that_cannot_be_started_counts_as_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "_MOST", 0.01)
    logs.rotate(tmp_path, "one")
    lock = os.open(tmp_path, os.O_RDONLY)

    async def scenario() -> None:
        await Keeper(Child("one", ("/nowhere/to/be/found",)), tmp_path, lock, changed=lambda: None).run()

    asyncio.run(scenario())
    os.close(lock)
    assert logs.tail(tmp_path, "one")[-1].startswith("crossdock: cannot start /nowhere/to/be/found")


def test_a_child_that_ignores_sigterm_is_killed_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "DRAIN", 0.2)

    async def scenario() -> None:
        async with kept(tmp_path, STUBBORN + READY + WAIT) as (keeper, _):
            await keeper.ready.wait()
            await keeper.stop()
            assert keeper.pid == 0

    asyncio.run(scenario())


def test_a_stop_before_the_process_exists_is_not_lost(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with kept(tmp_path, READY + WAIT) as (keeper, _):
            await asyncio.sleep(0)
            await keeper.stop()
            assert keeper.pid == 0

    asyncio.run(scenario())


def test_what_outlives_a_supervisor_holds_the_lock_of_its_data(tmp_path: Path) -> None:
    async def scenario() -> None:
        # given
        logs.rotate(tmp_path, "one")
        with datafolder.locked(tmp_path) as lock:
            keeper = Keeper(Child("one", (sys.executable, "-c", READY + WAIT)), tmp_path, lock, changed=lambda: None)
            task = asyncio.create_task(keeper.run())
            await keeper.ready.wait()
        # when, then
        with pytest.raises(Refused, match="already_running"), datafolder.locked(tmp_path):
            pass
        await keeper.stop()
        await task
        with datafolder.locked(tmp_path):
            pass

    asyncio.run(scenario())


@pytest.mark.parametrize(("crashes", "seconds"), [(1, 0.2), (2, 0.4), (3, 0.8), (6, 6.4), (7, 10.0), (5000, 10.0)])
def test_each_crash_in_a_row_doubles_the_pause_up_to_ten_seconds(crashes: int, seconds: float) -> None:
    assert backoff(crashes) == seconds


def test_a_log_that_grew_too_large_is_moved_and_the_child_goes_on_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    monkeypatch.setattr(logs, "MOST", 10)
    logs.rotate(tmp_path, "one")
    log = logs.open_for(tmp_path, "one")
    os.write(log, b"twelve bytes\n")
    # when
    logs.bound(tmp_path, "one")
    os.write(log, b"next\n")
    os.close(log)
    # then
    assert logs.path(tmp_path, "one").read_bytes() == b"next\n"
    assert (tmp_path / "logs" / "one.log.1").read_bytes() == b"twelve bytes\n"
