"""What the process step notes of an event to find it by, and the version of the schema that it fits."""

import asyncio
import json
from pathlib import Path
from typing import Any

from journal.entry import Entry
from journal.keys import read
from tests import smallproject
from tests.pipeline.scene import ProcessScene
from tests.smallproject import sale


def entries(folder: Path, *gtins: str) -> list[Entry]:
    """Return what is noted of a sale, when the schemas of 1.1 name receipt, GTIN and location keys."""
    whole: dict[str, Any] = smallproject.SALE
    receipt = {"type": "string", "x-crossdock-key": "receipt"}
    lines = {"type": "array", "items": {"properties": {"gtin": {"x-crossdock-key": "gtin"}}}}
    kinds = {
        "pos.sale": whole | {"properties": whole["properties"] | {"receipt": receipt, "lines": lines}},
        "inventory.sold": smallproject.SOLD | {"properties": {"location": {"x-crossdock-key": "location"}}},
    }
    named = {"title": "t", "description": "for a test"}
    files: dict[str, str | None] = {
        f"schemas/{type_}/1.1.json": json.dumps({"$id": f"crossdock:/{type_}/1.1", **named, **schema})
        for type_, schema in kinds.items()
    }

    async def scenario() -> list[Entry]:
        scene = ProcessScene(folder, files)
        await scene.run([await scene.store(sale(*gtins))])
        return scene.entries()

    return asyncio.run(scenario())


def test_keys_of_the_event_as_it_came_and_in_canonical_form_are_noted(tmp_path: Path) -> None:
    (line,) = entries(tmp_path, "1", "2", "1")
    assert (line.outcome, line.version) == ("routed", "1.1")
    assert read(line.keys) == [("receipt", "7"), ("gtin", "1"), ("gtin", "2"), ("location", "STORE-0042")]


def test_an_event_that_becomes_a_dead_letter_is_found_by_the_keys_it_came_with(tmp_path: Path) -> None:
    (line,) = entries(tmp_path, "unknown")
    assert (line.outcome, line.reason) == ("dead_lettered", "lookup_missing")
    assert read(line.keys) == [("receipt", "7"), ("gtin", "unknown")]
