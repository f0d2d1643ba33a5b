"""The simulated retail day, the program behind `make run`: `python -m simulators.day [--duration S] [--rate N]`."""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import orjson
from rich.console import Console
from rich.live import Live

from simulators.devices import PARTNERS, fleet
from simulators.installation import CROSSDOCK, Installation, InstallationError, Ready
from simulators.page import Day, line, page
from simulators.targets import Control, Target, environment, running_targets

OUTAGE_AFTER, OUTAGE_FOR = 20.0, 5.0  # seconds; a short day has its outage in the middle
SETTLE_WITHIN = 30.0
BALANCED, UNBALANCED = 0, 1


async def run(arguments: argparse.Namespace, program: tuple[str, ...] = CROSSDOCK) -> int:
    """Live through one day with a program that behaves like Crossdock's command line; return the exit code."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        targets = await stack.enter_async_context(running_targets())
        installation = Installation(arguments.data, environment(targets), _ports(arguments), program)
        stack.push_async_callback(installation.stop)
        say(f"starting Crossdock, data in {arguments.data}")
        ready = await _unless(stop, installation.start())
        say(f"gateway {ready.gateway}   console {ready.console}   token {ready.ops_token}")
        session = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)))
        day = await _morning(arguments, installation, ready, targets)
        await _work(day, session, installation, stop, arguments.duration)
        return await _evening(day, session, installation)


async def _morning(
    arguments: argparse.Namespace, installation: Installation, ready: Ready, targets: dict[str, Target]
) -> Day:
    keys = {partner: await installation.key(partner) for partner in dict.fromkeys(PARTNERS.values())}
    begin = datetime.now(UTC)
    seed = arguments.seed if arguments.seed is not None else int(begin.timestamp())
    name = f"{begin:%d%H%M%S}"  # in every id, so that a second day in the same data folder is not all repeats
    return Day(ready, fleet(ready.gateway, keys, arguments.rate, seed, name, begin), targets)


async def _work(
    day: Day, session: aiohttp.ClientSession, installation: Installation, stop: asyncio.Event, duration: float
) -> None:
    """Let the devices send until the time is over or somebody says stop."""
    async with asyncio.TaskGroup() as group:
        senders = [group.create_task(device.run(session, stop)) for device in day.devices]
        helpers = [group.create_task(_watch(day, session)), group.create_task(_outage(day, duration))]
        with suppress(TimeoutError):
            await asyncio.wait_for(_end(stop, installation), duration or None)
        stop.set()
        await asyncio.wait(senders, timeout=SETTLE_WITHIN)
        for task in (*senders, *helpers):
            task.cancel()
    day.targets["oms"].control = Control()


async def _end(stop: asyncio.Event, installation: Installation) -> None:
    while not stop.is_set():
        if installation.ended:
            raise InstallationError("crossdock up ended\n" + installation.last_words())
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 0.5)


async def _outage(day: Day, duration: float) -> None:
    """Let the OMS be away for a while, to show that nobody else is held up and nothing is lost."""
    begin = min(OUTAGE_AFTER, duration / 2) if duration else OUTAGE_AFTER
    await asyncio.sleep(begin)
    day.targets["oms"].control = Control("status", status=503)
    day.phase = "the OMS answers 503"
    await asyncio.sleep(min(OUTAGE_FOR, duration / 4) if duration else OUTAGE_FOR)
    day.targets["oms"].control = Control()
    day.phase = "the OMS is back"


async def _watch(day: Day, session: aiohttp.ClientSession) -> None:
    """Show what happens, once a second: a live page on a terminal, else lines."""
    console = Console()
    if not console.is_terminal:
        async for _ in _seconds(day, session):
            say(line(day))
        return
    with Live(page(day), console=console, auto_refresh=False, screen=True) as live:
        async for _ in _seconds(day, session):
            live.update(page(day), refresh=True)


async def _seconds(day: Day, session: aiohttp.ClientSession) -> AsyncIterator[None]:
    before, then = _counts(day), time.monotonic()
    while True:
        await asyncio.sleep(1)
        await _look(day, session)
        now, after = time.monotonic(), _counts(day)
        day.rates = {name: (after[name] - before[name]) / (now - then) for name in after}
        before, then = after, now
        yield


def _counts(day: Day) -> dict[str, int]:
    return {**day.sent(), **{name: len(target.effects) for name, target in day.targets.items()}}


async def _look(day: Day, session: aiohttp.ClientSession) -> None:
    headers = {"Authorization": f"Bearer {day.ready.ops_token}"}
    with suppress(aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError):
        async with session.get(f"{day.ready.console}/ops/v1/overview", headers=headers) as response:
            if response.status == 200:
                day.overview = orjson.loads(await response.read())


async def _evening(day: Day, session: aiohttp.ClientSession, installation: Installation) -> int:
    """Wait until all is delivered, print the ledger and judge the day."""
    day.phase = "waiting for the last"
    deadline = time.monotonic() + SETTLE_WITHIN
    while time.monotonic() < deadline:
        await _look(day, session)
        say(line(day))
        if day.overview and not day.lag() and not _in_progress(await installation.ledger()):
            break
        await asyncio.sleep(1)
    code, text = await installation.run("ledger")
    say(text.rstrip())
    empty = [name for name, target in day.targets.items() if not target.effects]
    if empty:
        say(f"no events reached {', '.join(empty)}")
    say("the ledger is balanced" if code == 0 else "the ledger is NOT balanced")
    return UNBALANCED if code or empty else BALANCED


def _in_progress(ledger: dict[str, list[dict[str, int]]]) -> int:
    return sum(row["in_progress"] for part in ("sources", "routes") for row in ledger[part])


async def _unless(stop: asyncio.Event, starting: Coroutine[None, None, Ready]) -> Ready:
    """Return the result, or give up at once when told to stop."""
    task, told = asyncio.ensure_future(starting), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, told}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise InstallationError("stopped before it was ready")
        return await task
    finally:
        for one in (task, told):
            one.cancel()
        await asyncio.gather(task, told, return_exceptions=True)


def _ports(arguments: argparse.Namespace) -> tuple[str, ...]:
    ports = {"--gateway-port": arguments.gateway_port, "--console-port": arguments.console_port}
    return tuple(word for name, port in ports.items() if port is not None for word in (name, str(port)))


def _folder(text: str) -> Path:
    return Path(text).resolve()  # the child process works in another folder


def say(text: str) -> None:
    """Write a line for the person at the terminal."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(words: Sequence[str] | None = None, program: tuple[str, ...] = CROSSDOCK) -> int:
    """Parse the command line and run the day; exit 0 if the ledger came out even and every target got events."""
    parser = argparse.ArgumentParser(prog="python -m simulators.day", description="A simulated retail day.")
    parser.add_argument("--duration", type=float, default=0, help="seconds; 0 until Ctrl-C")
    parser.add_argument("--rate", type=float, default=40, help="events a second of all devices together")
    parser.add_argument("--data", type=_folder, default="data", help="folder of the installation")
    parser.add_argument("--seed", type=int, help="makes the events the same each time")
    parser.add_argument("--gateway-port", type=int, help="0 picks a free one")
    parser.add_argument("--console-port", type=int, help="0 picks a free one")
    try:
        return asyncio.run(run(parser.parse_args(words), program))
    except* InstallationError as failed:
        say("\n".join(str(error) for error in failed.exceptions))
    return UNBALANCED


if __name__ == "__main__":
    sys.exit(main())
