"""What gateways refused: counted over restarts, forgotten in time, and never too large to be stored."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from crossdock.adapters.memoryrecords import MemoryRecords
from crossdock.pipeline.driftstore import Known
from crossdock.pipeline.tally import DAY, REST, Tally
from schemas.drift import Origin
from schemas.outline import Outline

TODAY = 20_000
NOON = TODAY * DAY + DAY // 2
CODE = ("stores", "invalid_json")


def stored(tally: Tally, names: set[str]) -> dict[str, bytes]:
    return {name: raw for name in names if (raw := tally.written(name)) is not None}


def test_refusals_are_counted_over_restarts_of_gateways_and_of_the_operations_process() -> None:
    tally, records = Tally(), dict[str, bytes]()
    for said in (5, 5, 2):  # the last as it was started again
        records |= stored(tally, tally.hear({"gateway": {CODE: said}}, NOON))
    again = Tally()
    for name, raw in records.items():
        assert again.take(name, raw)
    again.hear({"gateway": {CODE: 3}, "gateway-1": {CODE: 1}}, NOON)
    assert again.codes("stores", TODAY, TODAY) == {"invalid_json": 9}
    assert again.codes("stores", TODAY - 9, TODAY - 1) == again.codes("others", TODAY, TODAY) == {}


def test_only_what_changed_is_to_be_stored() -> None:
    tally = Tally()
    assert tally.hear({"gateway": {CODE: 5}}, NOON) == {f"refused.{TODAY}", f"counters.{b'gateway'.hex()}"}
    assert tally.hear({"gateway": {CODE: 5}}, NOON) == set()


def test_days_are_forgotten_after_two_weeks_and_processes_after_a_day_of_silence() -> None:
    tally = Tally()
    tally.hear({"gateway-7f9c": {CODE: 5}, "gateway": {CODE: 1}}, NOON)
    gone = tally.hear({"gateway": {CODE: 1}}, NOON + DAY + 1)
    assert (gone, list(tally.last)) == ({f"counters.{b'gateway-7f9c'.hex()}"}, ["gateway"])
    assert tally.written(*gone) is None
    gone = tally.hear({"gateway": {CODE: 1}}, NOON + 15 * DAY)
    assert gone == {f"refused.{TODAY}"}
    assert (tally.written(*gone), tally.codes("stores", 0, 99_999)) == (None, {})


def test_the_counters_of_very_many_partners_are_stored_the_largest_ones_by_partner_and_the_others_as_a_sum() -> None:
    async def scenario() -> None:
        records = MemoryRecords()
        known, again = Known(records), Known(records)
        counters = {(f"{number:064}", "q" * 60): number for number in range(1, 10_001)}
        known.refused({"gateway": counters}, NOON)
        # when
        await known.save()
        await again.load()
        # then
        day = again.tally.days[TODAY]
        assert sum(day.values()) == sum(counters.values())
        assert day[REST] and all(day[counter] == counters[counter] for counter in list(day)[:5000] if counter != REST)

    asyncio.run(scenario())


def test_what_is_known_of_gone_processes_is_gone_from_the_store_too() -> None:
    async def scenario() -> None:
        records = MemoryRecords()
        known = Known(records)
        for number in range(3):
            known.refused({f"gateway-{number}": {CODE: 1}}, NOON + number * 2 * DAY)
            await known.save()
        assert list(await records.all("counters")) == [f"counters.{b'gateway-2'.hex()}"]

    asyncio.run(scenario())


def test_a_record_of_a_later_version_is_begun_anew_and_the_others_are_read() -> None:
    async def scenario() -> None:
        records = MemoryRecords()
        known, again = Known(records), Known(records)
        known.rhythm("tills").came(3, NOON)
        known.changed("tills")
        await known.save()
        for name in ("source.far", f"refused.{TODAY}", "counters.zz", "profile.tills", "what.else"):
            await records.put(name, b'{"colour":"red"}', 0)
        await again.load()
        assert (again.rhythm("tills").seen, again.rhythm("far").seen, again.tally.days) == (3, 0, {})

    asyncio.run(scenario())


@pytest.mark.parametrize("id_", ["i" * 1000, "\N{PILE OF POO}" * 128])
def test_what_is_known_of_hostile_events_can_be_stored_and_is_not_forgotten(tmp_path: Path, id_: str) -> None:
    async def scenario() -> None:
        records = MemoryRecords()
        known, again = Known(records), Known(records)
        origin = Origin("stores", "tills", "pos.sale", "1.0")
        values = {f"f{number}": {"type": "string"} for number in range(300)}
        outline, profile = Outline({"type": "object", "properties": values}), known.profile(origin)
        kinds: tuple[Any, ...] = (
            None,
            True,
            1,
            [],
            {},
            *("\N{PILE OF POO}" * 30 + str(number) for number in range(12)),
        )
        for number, value in enumerate(kinds * 2):
            unknown = {f"{number}-{field}-{'x' * 2000}": 1 for field in range(400)}
            profile.look(outline.top, {**dict.fromkeys(values, value), **unknown}, number, id_)
        # when
        await known.save()
        await again.load()
        # then
        assert again.profiles["tills", "pos.sale", "1.0"].looked == len(kinds) * 2

    asyncio.run(scenario())
