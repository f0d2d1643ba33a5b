"""A tap is not a part of what became of an event, as its sender sees it."""

import asyncio
from pathlib import Path

import pytest

from journal import entry
from tests.gateway.asking import desk
from tests.gateway.test_status import asked, line
from tests.smallproject import FILES, STOCK

TAPPED = {STOCK: FILES[STOCK] + "  - {route: ear, from: [inventory.sold], to: erp, tap: true}\n"}


@pytest.mark.parametrize("outcome", [entry.DISCARDED, entry.RETRIED, entry.DELIVERED])
def test_whatever_becomes_of_the_copy_the_event_keeps_its_status_and_hops(tmp_path: Path, outcome: str) -> None:
    async def scenario() -> None:
        seen = line(entry.MATCHED, at=1_001, routes="stock,ear")._replace(stage=entry.DELIVER)
        made = desk(tmp_path, changes=TAPPED)
        found = await asked(made, line(entry.ACCEPTED), seen, line(entry.DELIVERED, "stock"), line(outcome, "ear"))
        assert (found["status"], [hop["route"] for hop in found["hops"] if "route" in hop]) == ("delivered", ["stock"])
        (listed,) = (await made.get("/v1/events")).json()["items"]
        assert listed["status"] == "delivered"

    asyncio.run(scenario())


def test_an_event_that_only_a_tap_still_waits_for_is_delivered(tmp_path: Path) -> None:
    async def scenario() -> None:
        seen = line(entry.MATCHED, at=1_001, routes="stock", behind="ear")._replace(stage=entry.DELIVER)
        made = desk(tmp_path, changes=TAPPED)
        assert (await asked(made, line(entry.ACCEPTED), seen, line(entry.DELIVERED, "stock")))["status"] == "delivered"

    asyncio.run(scenario())
