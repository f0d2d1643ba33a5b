"""Raw events that go through the process step once more: to routes, in the place of the first canonical event."""

import asyncio
from pathlib import Path

import pytest

from crossdock.kernel.event import Event
from crossdock.kernel.stream import AGAIN, BACKFILL, DEAD_LETTER, ORIGIN, Message
from crossdock.pipeline.again import Again
from dlq.record import DELIVER, PROCESS, letter_id, replay
from tests.pipeline.scene import ProcessScene
from tests.smallproject import sale

ITEMS = "transforms/lookups/items.csv"
RENAMED = {ITEMS: "gtin,sku,name\n1,KAFFEE,Coffee 1 kg\n2,TEE,Tea\n"}
STOCK = letter_id(DELIVER, "stock", 1)


def again(message: Message, to: str, *routes: str) -> Message:
    """Return the copy of a raw event that a plan sends."""
    headers = {**message.headers, ORIGIN: str(message.seq), AGAIN: Again("rp-1", to, 1, routes).text()}
    return message._replace(seq=8, headers={**headers, DEAD_LETTER: letter_id(PROCESS, "tills", message.seq)})


async def repeated(root: Path, event: Event, to: str, *routes: str) -> tuple[ProcessScene, ProcessScene]:
    """Return an event that went through, and the same once more by other content."""
    scene = ProcessScene(root / "first")
    message = await scene.store(event)
    await scene.run([message])
    second = ProcessScene(root / "second", RENAMED)
    second.seen, second.processor._seen = scene.seen, scene.seen
    await second.run([again(message, to, *routes)])
    return scene, second


@pytest.mark.parametrize(("to", "routes"), [("all", ()), ("all", ("stock", "gone")), ("failed", ("stock",))])
def test_it_is_made_anew_and_goes_to_routes_and_not_to_the_feed(
    tmp_path: Path, to: str, routes: tuple[str, ...]
) -> None:
    async def scenario() -> None:
        first, second = await repeated(tmp_path, sale("1", "2"), to, *routes)
        (before,), (after,) = first.under("event."), second.under("replay.")
        assert second.under("event.") == []
        assert b"COFFEE" in before.payload and b"KAFFEE" in after.payload
        assert (after.subject, after.headers[ORIGIN], after.headers[DEAD_LETTER]) == ("replay.stock", "1", STOCK)
        assert (BACKFILL in after.headers) == (to == "all")
        (line,) = second.entries()
        assert (line.outcome, line.raw, line.seq) == ("routed", 1, 1)

    asyncio.run(scenario())


def test_a_route_that_does_not_want_it_any_more_gets_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        _, second = await repeated(tmp_path, sale("1"), "all")  # the route wants more than one line
        assert (second.under("replay."), second.outcomes()) == ([], [("s-1", "routed")])

    asyncio.run(scenario())


def test_a_delivery_that_failed_and_is_not_wanted_any_more_has_ended(tmp_path: Path) -> None:
    async def scenario() -> None:
        _, second = await repeated(tmp_path, sale("1"), "failed", "stock")
        assert second.under("replay.") == []
        told = {(one.stage, one.outcome, one.route, one.seq, one.dead_letter) for one in second.entries()}
        process = letter_id(PROCESS, "tills", 1)
        assert told == {("deliver", "skipped", "stock", 1, STOCK), ("process", "routed", "", 1, process)}

    asyncio.run(scenario())


@pytest.mark.parametrize(("to", "deliveries"), [("failed", [("stock", 1, STOCK)]), ("all", [])])
def test_when_it_fails_the_deliveries_that_it_was_for_have_failed_again(
    tmp_path: Path, to: str, deliveries: list[tuple[str, int, str]]
) -> None:
    async def scenario() -> None:
        scene = ProcessScene(tmp_path, {ITEMS: "gtin,sku,name\n2,TEA,Tea\n"})
        message = await scene.store(sale("1", "2"))
        await scene.run([again(message, to, "stock")])
        (letter,) = scene.letters()
        process, *others = scene.entries()
        assert (process.stage, process.dead_letter, process.ref) == ("process", letter.id, 1)
        assert [(one.route, one.seq, one.dead_letter) for one in others] == deliveries
        assert all((one.stage, one.outcome, one.ref) == ("deliver", "dead_lettered", 1) for one in others)
        # and sent again it is still for the same routes
        assert replay(letter, "2").headers[AGAIN] == f"rp-1 {to} 1 stock"

    asyncio.run(scenario())
