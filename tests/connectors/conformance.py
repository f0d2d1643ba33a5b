"""What every kind of connector must do, asked of a real server; each kind's tests call `conforms` with a bench of it.

A kind that cannot tell a bad event from a good one, such as a drop folder, leaves out `refused`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from connectors.port import Connector, Result
from crossdock.kernel.event import Event

SECRET = "s3cret-of-the-test"
EVENT = Event("1", "/tills/7", "inventory.sold", {"sku": "A-1", "quantity": 3}, "2026-01-01T00:00:00Z")


@dataclass(frozen=True)
class Bench:
    """A kind with its server: connectors made with `SECRET` as their only secret, and how to see effects.

    `reach` opens a connector to the server, `away` one whose server does not answer; `effects` returns what arrived;
    `refused` is an event that the server refuses for good.
    """

    reach: Callable[[], Connector]
    away: Callable[[], Connector]
    effects: Callable[[], Awaitable[list[Any]]]
    event: Event = EVENT
    refused: Event | None = None


async def conforms(bench: Bench) -> None:
    """Try everything, each with a connector of its own.

    Raises:
        AssertionError: what the kind does not do.
    """
    for trial in (delivers, twice_is_once, waits_for_a_target_that_is_away, refuses, closes_under_way, probes):
        await trial(bench)


async def delivers(bench: Bench) -> None:
    """An event arrives."""
    before = len(await bench.effects())
    _is(await _one(bench.reach(), bench.event, "delivers"), "delivered")
    assert len(await bench.effects()) == before + 1


async def twice_is_once(bench: Bench) -> None:
    """The same event with the same key has one effect."""
    before = len(await bench.effects())
    for _ in range(2):
        _is(await _one(bench.reach(), bench.event._replace(id="2"), "twice"), "delivered")
    assert len(await bench.effects()) == before + 1


async def waits_for_a_target_that_is_away(bench: Bench) -> None:
    """What cannot be sent is tried again, and nothing says a secret."""
    _is(await _one(bench.away(), bench.event, "away"), "retry")


async def refuses(bench: Bench) -> None:
    """What the target refuses is not tried again, has no effect, and does not harm its neighbours."""
    if bench.refused is None:
        return
    before, connector = len(await bench.effects()), bench.reach()
    good = bench.event._replace(id="3")
    bad_result, good_result = await asyncio.gather(
        connector.deliver(bench.refused, "refused"), connector.deliver(good, "neighbour")
    )
    await connector.close()
    _is(bad_result, "permanent")
    _is(good_result, "delivered")
    assert len(await bench.effects()) == before + 1


async def closes_under_way(bench: Bench) -> None:
    """A connector can be closed while an attempt is under way, and before it was ever used."""
    await bench.reach().close()
    connector = bench.reach()
    attempt = asyncio.create_task(connector.deliver(bench.event._replace(id="4"), "closing"))
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await connector.close()
        result = await attempt
    assert result.outcome in ("delivered", "retry", "in_doubt"), result


async def probes(bench: Bench) -> None:
    """A probe tells a server that is there from one that is not, without an effect."""
    before, there, away = len(await bench.effects()), bench.reach(), bench.away()
    _is(await there.probe(), "delivered")
    _is(await away.probe(), "retry")
    await there.close()
    await away.close()
    assert len(await bench.effects()) == before


async def _one(connector: Connector, event: Event, key: str) -> Result:
    try:
        return await connector.deliver(event, key)
    finally:
        await connector.close()


def _is(result: Result, outcome: str) -> None:
    assert result.outcome == outcome, result
    assert SECRET not in repr(result)
