"""What the running ledger holds at most while the streams are read."""

import asyncio
from typing import cast

import pytest
from nats.aio.client import Client

from crossdock.adapters import ledgersums
from crossdock.adapters.ledger import Ledgers
from crossdock.kernel.problems import Unavailable
from crossdock.project import Project
from journal import entry
from journal.entry import Entry


def test_what_is_heard_during_a_long_look_is_bounded() -> None:
    ledgers = Ledgers(cast(Client, None), lambda: cast(Project, None), {})
    ledgers._looking = True
    lot = [Entry(1, entry.GATEWAY, entry.ACCEPTED, "stores", "tills", raw=1)] * 5_000
    for number in range(100):
        ledgers.hear([(number, lot)])
    assert [told[0][0] for told in ledgers._heard] == list(range(20))


def test_proofs_that_are_asked_for_at_once_are_made_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, most = 0, 0

    async def read(*_: object) -> None:
        nonlocal reading, most
        reading += 1
        most = max(most, reading)
        await asyncio.sleep(0)
        reading -= 1
        raise OSError

    async def scenario() -> None:
        monkeypatch.setattr(ledgersums, "from_nothing", read)
        ledgers = Ledgers(cast(Client, None), lambda: cast(Project, None), {})
        found = await asyncio.gather(*(ledgers.deep() for _ in range(3)), return_exceptions=True)
        assert ([type(one) for one in found], most) == ([Unavailable] * 3, 1)

    asyncio.run(scenario())
