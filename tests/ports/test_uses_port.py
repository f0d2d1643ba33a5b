"""What every `Uses` promises, asked of the one in memory and of Valkey."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from crossdock.adapters.memory import MemoryUses
from crossdock.adapters.uses import ValkeyUses
from crossdock.kernel.apikeys import Uses
from crossdock.kernel.problems import Unavailable

Opened = Callable[[], AbstractAsyncContextManager[Uses]]
_RUNS = itertools.count()
AT = 1_790_000_000_123


@pytest.fixture(params=["memory", "valkey"])
def opened(request: pytest.FixtureRequest) -> Opened:
    url = request.getfixturevalue("valkey_url") if request.param == "valkey" else ""

    @asynccontextmanager
    async def on_valkey() -> AsyncIterator[Uses]:
        uses = ValkeyUses(url)
        yield uses
        await uses.close()

    @asynccontextmanager
    async def in_memory() -> AsyncIterator[Uses]:
        yield MemoryUses()

    return on_valkey if url else in_memory


@pytest.fixture
def prefix() -> str:
    return f"run{next(_RUNS)}-"


def test_the_last_use_of_each_key_is_kept_to_the_millisecond(opened: Opened, prefix: str) -> None:
    async def scenario() -> None:
        async with opened() as uses:
            await uses.note({prefix + "aa": AT, prefix + "bb": AT + 1})
            await uses.note({prefix + "aa": AT + 2})
            found = await uses.last()
            assert {key: at for key, at in found.items() if key.startswith(prefix)} == {
                prefix + "aa": AT + 2,
                prefix + "bb": AT + 1,
            }

    asyncio.run(scenario())


def test_the_later_of_two_gateways_counts_whichever_tells_last(opened: Opened, prefix: str) -> None:
    async def scenario() -> None:
        async with opened() as uses:
            await uses.note({prefix: AT})
            await uses.note({prefix: AT - 500})
            assert (await uses.last())[prefix] == AT

    asyncio.run(scenario())


def test_a_restart_of_the_gateway_forgets_nothing(valkey_url: str, prefix: str) -> None:
    async def scenario() -> None:
        before = ValkeyUses(valkey_url)
        await before.note({prefix: AT})
        await before.close()
        after = ValkeyUses(valkey_url)
        assert (await after.last())[prefix] == AT
        await after.close()

    asyncio.run(scenario())


def test_a_store_that_is_away_is_said_as_unavailable() -> None:
    async def scenario() -> None:
        uses = ValkeyUses("redis://127.0.0.1:1/0")
        with pytest.raises(Unavailable):
            await uses.note({"aa": AT})
        with pytest.raises(Unavailable):
            await uses.last()
        await uses.close()

    asyncio.run(scenario())
