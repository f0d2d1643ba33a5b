"""A callback is not a part of what became of an event: it neither shows nor changes the status."""

import asyncio
from pathlib import Path

import pytest

from journal import entry
from tests.gateway.asking import desk
from tests.gateway.test_status import asked, line


@pytest.mark.parametrize("outcome", [entry.RETRIED, entry.DEAD_LETTERED, entry.DELIVERED, entry.REPLAYED])
def test_whatever_becomes_of_a_callback_the_event_keeps_its_status_and_hops(tmp_path: Path, outcome: str) -> None:
    async def scenario() -> None:
        told = line(outcome, "callback-tills", origin="crossdock:/callbacks/tills/1/stock/delivered/0")
        seen = line(entry.MATCHED, at=1_001, routes="callback-tills")._replace(stage=entry.DELIVER)
        made = desk(tmp_path)
        found = await asked(made, line(entry.ACCEPTED), line(entry.DELIVERED, "stock"), seen, told)
        assert (found["status"], [hop["outcome"] for hop in found["hops"]]) == ("delivered", ["accepted", "delivered"])
        (listed,) = (await made.get("/v1/events")).json()["items"]
        assert listed["status"] == "delivered"

    asyncio.run(scenario())
