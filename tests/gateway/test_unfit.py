"""What a gateway tells of refused events: which break their schema, and whose refusals they are."""

import asyncio
from pathlib import Path
from typing import Any

from tests.gateway.door import BATCH, SALE, Door, document, door
from tests.gateway.test_bad_input import problem_of


def refusals(made: Door) -> dict[tuple[str, str], float]:
    """Return what was refused by partner and code."""
    samples = [sample for family in made.metrics.rejected.collect() for sample in family.samples]
    return {
        (sample.labels["partner"], sample.labels["code"]): sample.value
        for sample in samples
        if sample.name.endswith("_total")
    }


def test_each_event_that_is_refused_for_its_data_is_told_and_no_other(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        await made.post(document("fine"))
        await made.post(document("odd", data=SALE | {"till": 1}))
        await made.post(document("unknown", type="pos.none"))
        await made.post(b"{")
        assert [(source, version, event.id, event.data["till"]) for source, version, event in made.unfit] == [
            ("tills", "1.0", "odd", 1)
        ]

    asyncio.run(scenario())


def test_refusals_count_for_who_sent_alone_and_in_batches_and_for_nobody_without_a_key(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        bad: Any = document("bad", data={})
        problem_of(await made.post(bad), 422, "schema_violation")
        await made.post([bad, document("fine"), bad], BATCH)
        problem_of(await made.get("/v1/catalog", "wrong"), 401, "unauthorized")
        assert refusals(made) == {("stores", "schema_violation"): 3, ("", "unauthorized"): 1}

    asyncio.run(scenario())
