"""Group commit of outcomes: nothing is lost, nothing waits for long, no message is too large for the broker."""

import asyncio

import pytest

from crossdock.kernel.stream import Record, Stored
from crossdock.pipeline import recorder
from crossdock.pipeline.recorder import MAX_BYTES, Recorder, append_entries
from journal.entry import Entry, unpack
from tests.pipeline.scene import FlakyLog


def line(number: int, **more: str) -> Entry:
    return Entry(number + 1, "deliver", "delivered", **more)  # type: ignore[arg-type]


def test_entries_noted_while_others_are_stored_go_together() -> None:
    class Slow(FlakyLog):
        def __init__(self) -> None:
            super().__init__()
            self.gate = asyncio.Event()

        async def append(self, record: Record) -> Stored:
            await self.gate.wait()
            return await super().append(record)

    async def scenario() -> None:
        log = Slow()
        made = Recorder(log)
        first = made.note(line(0))
        await asyncio.sleep(0.01)
        rest = [made.note(line(number)) for number in range(1, 100)]
        assert not first.done()
        log.gate.set()
        await asyncio.gather(first, *rest)
        assert [len(unpack(record.payload)) for record, _ in log.records] == [1, 99]

    asyncio.run(scenario())


def test_an_entry_is_stored_once_though_the_broker_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "RETRY", 0.001)

    async def scenario() -> None:
        log = FlakyLog()
        log.away = 5
        made = Recorder(log)
        await made.note(line(1))
        await made.close()
        assert len(log.records) == 1

    asyncio.run(scenario())


def test_an_entry_is_stored_though_the_broker_client_broke(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "RETRY", 0.001)

    async def scenario() -> None:
        log = FlakyLog()
        log.broken = 2
        await Recorder(log).note(line(1))
        assert len(log.records) == 1

    asyncio.run(scenario())


def test_closing_waits_for_what_was_noted() -> None:
    async def scenario() -> None:
        log = FlakyLog()
        made = Recorder(log)
        noted = [made.note(line(number)) for number in range(3)]
        await made.close()
        assert all(future.done() for future in noted)
        await made.close()

    asyncio.run(scenario())


def test_no_message_is_larger_than_the_broker_takes() -> None:
    async def scenario() -> None:
        log = FlakyLog()
        entries = [line(number, id="€" * 1024, origin="€" * 1024) for number in range(700)]
        await append_entries(log, entries)
        assert all(len(record.payload) <= MAX_BYTES for record, _ in log.records)
        assert [one for record, _ in log.records for one in unpack(record.payload)] == entries

    asyncio.run(scenario())
