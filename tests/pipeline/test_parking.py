"""Events that wait for a row: kept as dead letters, sent on once when it is there, whatever is killed in between."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from crossdock.adapters.memorytables import MemoryNotes
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Record
from crossdock.pipeline import parking
from tests.pipeline.parkingscene import NEW, Scene
from tests.realservers import until
from tests.smallproject import sale


class AwayOnce(MemoryNotes):
    """Notes that cannot be reached once for each act."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: set[str] = set()

    async def put(self, notes):  # type: ignore[no-untyped-def]
        self._refuse("put")
        await super().put(notes)

    async def mark(self, note):  # type: ignore[no-untyped-def]
        self._refuse("mark")
        await super().mark(note)

    async def drop(self, letters):  # type: ignore[no-untyped-def]
        self._refuse("drop")
        await super().drop(letters)

    def _refuse(self, act: str) -> None:
        if act not in self.refused:
            self.refused.add(act)
            raise Unavailable("away")


def scenario(act: Callable[[Scene], object], root: Path, notes: MemoryNotes | None = None) -> Scene:
    scene = Scene(root, notes)

    async def run() -> None:
        await act(scene)  # type: ignore[misc]

    asyncio.run(run())
    return scene


async def parked(scene: Scene) -> None:
    await scene.store(sale("99"))
    await scene.run(await scene.inbox.fetch(10, 0.1))
    assert [letter.reason for letter in scene.letters()] == ["lookup_waiting"]
    assert len(await scene.kept()) == 1


def test_what_waits_is_a_dead_letter_until_its_row_appears_and_goes_on_once(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await parked(scene)
        async with scene.waking():
            scene.appears()
            scene.appears()
            await scene.replayed(2)
            assert await scene.kept() == []

    outcomes = [outcome for _, outcome in scenario(act, tmp_path).outcomes()]
    assert outcomes == ["dead_lettered", "replayed", "routed"]


def test_another_row_wakes_nothing(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await parked(scene)
        async with scene.waking():
            scene.appears("98")
            scene.parking.appeared("other", ["99"])
            await scene.store(sale("98", id="s-2"))
            await scene.run(await scene.inbox.fetch(10, 0.1))
            assert [note.sent for note in await scene.kept()] == [False]

    assert [outcome for _, outcome in scenario(act, tmp_path).outcomes()] == ["dead_lettered", "routed"]


def test_a_start_looks_at_everything_that_is_parked(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await parked(scene)
        scene.table.rows["99"] = NEW
        scene.restart()
        async with scene.waking():
            await scene.replayed(2)

    assert scenario(act, tmp_path).outcomes()[-1] == ("s-1", "routed")


def test_a_row_that_comes_before_the_note_is_stored_is_not_missed(tmp_path: Path) -> None:
    class Slow(MemoryNotes):
        async def put(self, notes):  # type: ignore[no-untyped-def]
            scene.appears()
            await asyncio.sleep(0)
            await super().put(notes)

    scene = Scene(tmp_path, Slow())

    async def run() -> None:
        async with scene.waking():
            await asyncio.sleep(0)
            await scene.store(sale("99"))
            await scene.run(await scene.inbox.fetch(10, 0.1))
            await scene.replayed(2)

    asyncio.run(run())
    assert scene.outcomes()[-1] == ("s-1", "routed")


def test_a_kill_between_the_copy_and_its_mark_sends_the_same_copy_again(tmp_path: Path) -> None:
    killed = asyncio.Event()

    class Killed(MemoryNotes):
        async def mark(self, note):  # type: ignore[no-untyped-def]
            if not killed.is_set():
                killed.set()
                raise asyncio.CancelledError
            await super().mark(note)

    scene = Scene(tmp_path, Killed())

    async def run() -> None:
        await parked(scene)
        async with scene.waking():
            scene.appears()
            await killed.wait()
        scene.restart()
        async with scene.waking():
            await scene.replayed(2)

    asyncio.run(run())
    assert len(scene.raw.records) == 2
    assert [outcome for _, outcome in scene.outcomes()][-1] == "routed"


def test_an_event_that_misses_another_row_then_waits_for_that(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.store(sale("99", "98"))
        await scene.run(await scene.inbox.fetch(10, 0.1))
        async with scene.waking():
            scene.appears("99")
            await scene.replayed(2)
            assert [(note.key, note.sent) for note in await scene.kept()] == [("98", False)]
            scene.appears("98")
            await scene.replayed(3)
            assert await scene.kept() == []

    outcomes = [outcome for _, outcome in scenario(act, tmp_path).outcomes()]
    assert outcomes == ["dead_lettered", "replayed", "dead_lettered", "replayed", "routed"]


def test_an_event_that_is_parked_again_before_its_copy_is_marked_still_goes_on(tmp_path: Path) -> None:
    class Late(MemoryNotes):
        def __init__(self) -> None:
            super().__init__()
            self.begun, self.goes = asyncio.Event(), asyncio.Event()

        async def mark(self, note):  # type: ignore[no-untyped-def]
            self.begun.set()
            await self.goes.wait()
            await super().mark(note)

    async def act(scene: Scene) -> None:
        await parked(scene)
        async with scene.waking():
            scene.appears()
            await notes.begun.wait()
            scene.table.rows = {}
            await scene.run(await scene.inbox.fetch(10, 0.1))
            notes.goes.set()
            scene.appears()
            await scene.replayed(3)
            assert await scene.kept() == []

    notes = Late()
    outcomes = [outcome for _, outcome in scenario(act, tmp_path, notes).outcomes()]
    assert outcomes == ["dead_lettered", "replayed", "dead_lettered", "replayed", "routed"]


def test_what_a_person_replayed_meanwhile_is_not_sent_again(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await parked(scene)
        (letter,) = scene.letters()
        headers = {**letter.headers, "Crossdock-Origin": "1", "Crossdock-Dead-Letter": letter.id}
        await scene.raw.append(Record(letter.subject, letter.payload, "by a person", headers))
        scene.table.rows["99"] = NEW
        await scene.run(await scene.inbox.fetch(10, 0.1))
        assert await scene.kept() == []

    assert [outcome for _, outcome in scenario(act, tmp_path).outcomes()] == ["dead_lettered", "routed"]


def test_a_table_that_the_content_has_no_more_holds_nothing_up(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await parked(scene)
        scene.parking.use({})
        async with scene.waking():
            await until(lambda: len(scene.raw.records) == 2, within=5)

    scenario(act, tmp_path)


def test_a_store_that_is_away_delays_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parking, "AWAY", 0.01)
    notes = AwayOnce()

    async def act(scene: Scene) -> None:
        await parked(scene)
        async with scene.waking():
            scene.appears()
            await scene.replayed(2)

    assert scenario(act, tmp_path, notes).outcomes()[-1] == ("s-1", "routed")
    assert notes.refused == {"put", "mark", "drop"}
