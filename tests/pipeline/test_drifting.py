"""Looking at a sample of RAW: every source gets its share, what is skipped is told, and a restart forgets nothing."""

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from crossdock.adapters.memory import MemoryLog
from crossdock.adapters.memoryrecords import MemoryRecords
from crossdock.adapters.memorysample import MemorySample
from crossdock.kernel.stream import CLAIM, DIGEST, ORIGIN, QUARANTINED, VERSION, Record
from crossdock.pipeline import drifting
from crossdock.pipeline.drifting import MOST_OF_SOURCE, Drifts
from crossdock.pipeline.driftstore import Known
from crossdock.project import Project
from dlq.record import PROCESS, letter_id
from schemas.drift import Finding, Origin
from schemas.widening import propose
from tests import smallproject

PLAIN: Mapping[str, str] = {}
SALE = {"store": "0042", "receipt": "7", "lines": [{"gtin": "1", "qty": 2}]}
DESK = """\
source: desk
partner: office
accept: cloudevents
types: [pos.sale]
verify: {api_key: true}
on_invalid: quarantine
expect: 15m
"""


class Scene:
    """RAW in memory, and what looks at it."""

    def __init__(self, folder: Path, files: Mapping[str, str | None] | None = None) -> None:
        self.project: Project = smallproject.project(folder, {"gateway/desk.yaml": DESK, **(files or {})})
        self.raw, self.records = MemoryLog(), MemoryRecords()
        self.drifts = self.made()

    def made(self) -> Drifts:
        return Drifts(MemorySample(self.raw), Known(self.records), lambda: self.project)

    async def send(
        self, data: Any, number: int = 1, source: str = "stores.tills", headers: Mapping[str, str] = PLAIN
    ) -> None:
        """Store events as the gateway does."""
        for _ in range(number):
            name = f"e{len(self.raw.records)}"
            event = {"specversion": "1.0", "id": name, "source": "/till/1", "type": "pos.sale", "data": data}
            event["time"] = "2026-11-21T10:00:00Z"
            kept = {"content-type": "application/cloudevents+json", VERSION: "1.0", DIGEST: "x", **headers}
            await self.raw.append(Record(f"raw.{source}", json.dumps(event).encode(), name, kept))

    async def found(self) -> list[Finding]:
        return [one for one, settled in await self.drifts.found() if not settled]

    def seen(self, source: str) -> tuple[int, int]:
        known = self.drifts.known.rhythm(source)
        return known.seen, known.looked


def test_drift_of_stored_and_of_refused_events_is_found(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = Scene(tmp_path)
        line = {"gtin": "1", "qty": 1, "colour": "red"}  # which the schema lets through
        await scene.send(SALE | {"lines": [line]})
        await scene.send(SALE | {"till": 1}, source="office.desk", headers={QUARANTINED: "1"})
        # when
        await scene.drifts.look()
        scene.drifts.refused({"source": "tills", "type": "pos.sale", "version": "1.0", "id": "r", "data": {"x": 1}})
        # then
        found = await scene.found()
        assert {(one.origin.source, one.kind, one.pointer, one.sample) for one in found if not one.refused} == {
            ("tills", "unknown_field", "/lines/*/colour", "e0")
        }
        # and of what was refused the dead letter is named, where there is one
        assert {(one.origin.source, one.kind, one.pointer, one.sample) for one in found if one.refused} == {
            ("desk", "unknown_field", "/till", letter_id(PROCESS, "desk", 2)),
            ("tills", "unknown_field", "/x", ""),
            *{("tills", "rule", f"/{name}", "") for name in ("store", "receipt", "lines")},
        }

    asyncio.run(scenario())


def test_refused_events_say_nothing_of_what_is_usual(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = Scene(tmp_path)
        await scene.send(SALE, 90, source="office.desk")
        await scene.drifts.look()
        for number in range(60):
            broken = {"lines": [], "till": number, "receipt": f"R{number}"}
            await scene.send(broken, 5, source="office.desk", headers={QUARANTINED: "1"})
            await scene.drifts.look()
        await scene.send(SALE, 90, source="office.desk")
        await scene.drifts.look()
        assert [(one.kind, one.pointer) for one in await scene.found() if not one.refused] == []
        assert scene.drifts.known.profile(Origin("office", "desk", "pos.sale", "1.0")).looked == 180

    asyncio.run(scenario())


def test_what_accepted_and_refused_events_have_in_common_is_a_finding_of_the_accepted_ones(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = Scene(tmp_path, {"gateway/desk.yaml": DESK.replace("quarantine", "warn")})
        await scene.send(SALE | {"till": 1}, source="office.desk", headers={QUARANTINED: "1"})
        await scene.send(SALE | {"till": 1}, 2, source="office.desk")
        await scene.drifts.look()
        (found,) = await scene.found()
        assert (found.pointer, found.breaks, found.refused) == ("/till", True, False)
        assert (found.count, found.sample) == (2, "e2")

    asyncio.run(scenario())


def test_findings_are_made_a_version_at_a_time_so_that_others_get_their_turn(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = Scene(tmp_path)
        await scene.send(SALE | {"x": 1})
        await scene.send(SALE | {"x": 1}, source="office.desk", headers={QUARANTINED: "1"})
        await scene.drifts.look()
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        beside = asyncio.create_task(other())
        await scene.found()
        beside.cancel()
        assert turns >= 2

    asyncio.run(scenario())


def test_a_busy_source_is_sampled_and_keeps_no_other_from_being_looked_at(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = Scene(tmp_path)
        await scene.send(SALE, 400)
        await scene.send(SALE | {"x": 1}, source="office.desk", headers={QUARANTINED: "1"})
        await scene.send(SALE, 400)
        # when
        await scene.drifts.look()
        # then
        (seen, looked), others = scene.seen("tills"), scene.seen("desk")
        assert seen == 800 and 0 < looked <= MOST_OF_SOURCE
        assert others == (1, 1)
        assert [one.pointer for one in await scene.found()] == ["/x"]
        assert {one["source"]: (one["seen"], one["looked_at"]) for one in scene.drifts.watched()} == {
            "tills": (800, looked),
            "desk": (1, 1),
        }
        # and what is behind is past: the next look begins with what came since
        await scene.send(SALE, 5)
        await scene.drifts.look()
        assert scene.seen("tills") == (805, looked + 5)

    asyncio.run(scenario())


def test_looking_takes_a_bounded_part_of_a_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drifting, "MOST_CREDIT", 0.004)

    async def scenario() -> None:
        scene = Scene(tmp_path)
        big = SALE | {"lines": [{"gtin": "1", "qty": 1, f"f{index}": 1} for index in range(900)]}
        for _ in range(10):  # looks without a pause, in which nothing is saved up
            await scene.send(big, 20)
            await scene.drifts.look()
        seen, looked = scene.seen("tills")
        assert seen == 200
        assert 10 <= looked <= 100

    asyncio.run(scenario())


def test_what_cannot_be_looked_at_is_seen_and_passed_by(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = Scene(tmp_path)
        await scene.raw.append(Record("raw.stores.tills", b"{", "k", {"content-type": "application/cloudevents+json"}))
        await scene.raw.append(Record("raw.stores.tills", b"{}", "l", {}))
        await scene.send(SALE, headers={CLAIM: "abc 99"})
        await scene.send(SALE | {"x": "y" * 300_000})
        await scene.send(SALE, headers={VERSION: "9.9"})
        await scene.send(SALE | {"again": 1}, headers={ORIGIN: "1"})
        await scene.drifts.look()
        assert (scene.seen("tills"), await scene.found()) == ((5, 1), [])

    asyncio.run(scenario())


def test_what_is_known_outlives_the_process(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = Scene(tmp_path)
        await scene.send(SALE | {"x": 1}, 3, source="office.desk", headers={QUARANTINED: "1"})
        await scene.drifts.look()
        scene.drifts.known.refused({"gateway": {("stores", "invalid_json"): 4}}, int(time.time() * 1000))
        before = await scene.found()
        await scene.drifts.known.save()
        # when
        scene.drifts = scene.made()
        await scene.drifts.known.load()
        await scene.drifts.look()
        # then
        assert before and await scene.found() == before
        assert scene.seen("desk") == (3, 3)
        assert scene.drifts.known.tally.codes("stores", 0, 99_999) == {"invalid_json": 4}

    asyncio.run(scenario())


def test_a_finding_closes_by_itself_when_the_proposed_schema_is_in_force(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = Scene(tmp_path)
        await scene.send(SALE | {"loyalty": "gold"}, source="office.desk", headers={QUARANTINED: "1"})
        await scene.drifts.look()
        (found,) = await scene.found()
        made = propose(scene.project.registry, [found])
        # when
        files = {f"schemas/{made.type}/{made.version}.json": json.dumps(made.schema), "gateway/desk.yaml": DESK}
        scene.project = smallproject.project(tmp_path / "next", files)
        # then
        assert await scene.found() == []
        assert [(one.id, settled) for one, settled in await scene.drifts.found()] == [(found.id, True)]
        # but a source that is pinned to the version before is not helped by it
        pinned = DESK.replace("[pos.sale]", "[pos.sale@1.0]")
        scene.project = smallproject.project(tmp_path / "pinned", {**files, "gateway/desk.yaml": pinned})
        assert [one.id for one in await scene.found()] == [found.id]

    asyncio.run(scenario())
