"""One event many times has one effect, over a restart too; and its numbers arrive as they were sent."""

import asyncio
from collections import Counter
from pathlib import Path

from tests.faults.installation import Site, running
from tests.faults.samples import sale


def test_repeats_have_one_effect_and_are_listed_and_linked_to_the_first(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as site:
            # given
            answers = await asyncio.gather(*(site.post(sale(1)) for _ in range(3)))
            assert Counter(answer["status"] for _, _, answer in answers) == {"accepted": 1, "duplicate": 2}
            await site.settled()
            # when
            await site.stop()
            await site.start()
            status, _, answer = await site.post(sale(1))
            # then
            assert (status, answer["status"]) == (202, "duplicate")
            await site.settled()
            assert effects(site) == {"erp": ["sale-1"], "oms": ["sale-1"], "wms": []}
            await site.journal_caught_up()
            hops = (await site.command("trace", "sale-1"))["hops"]
            (first,) = [hop["raw"] for hop in hops if hop["outcome"] == "accepted"]
            assert [hop["ref"] for hop in hops if hop["outcome"] == "duplicate"] == [first] * 3

    asyncio.run(scenario())


def test_exact_numbers_arrive_unchanged_and_an_id_used_twice_does_not_hide_the_first_event(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as site:
            # when
            for number, transaction in enumerate((9007199254740993, 820982911946154508)):
                status, _, _ = await site.post(sale(number, transaction=transaction, amount="19.99"))
                assert status == 202
            status, _, _ = await site.post(sale(0, transaction=9007199254740993, amount="7.00"))
            assert status == 202
            ledger = await site.settled()
            # then
            assert effects(site) == {"erp": ["sale-0", "sale-1"], "oms": ["sale-0", "sale-1"], "wms": []}
            for name in ("erp", "oms"):
                one, two = (effect.body for effect in site.targets[name].effects.values())
                assert b'"transaction":9007199254740993,' in one and b'"transaction":820982911946154508,' in two
                assert b'"amount":"19.99"' in one and b'"amount":"19.99"' in two
            assert [row["dead_lettered"] for row in ledger["sources"]] == [1]
            await site.journal_caught_up()
            _, found = await site.ops("GET", "/ops/v1/dead-letters?reason=id_conflict")
            assert [letter["event_id"] for letter in found["items"]] == ["sale-0"]

    asyncio.run(scenario())


def effects(site: Site) -> dict[str, list[str]]:
    """Return the ids of the events that had an effect, by target."""
    return {name: [effect.id for effect in target.effects.values()] for name, target in sorted(site.targets.items())}
