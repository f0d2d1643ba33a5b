"""What a partner hears of its events, and that it hears it once whatever is handed out again."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from crossdock.adapters.memory import MemoryInbox, MemoryLog
from crossdock.kernel.event import restore
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import RAW_SEQ, SOURCE, Record, Stored
from crossdock.pipeline import callbacks, recorder
from crossdock.pipeline.callbacks import Teller
from crossdock.pipeline.delivery import idempotency_key
from journal import entry
from journal.entry import SUBJECT, Entry, pack
from tests.realservers import until
from tests.smallproject import FILES, TILLS, project

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
AT = 1_700_000_000_123
MOMENT = "2023-11-14T22:13:20.123Z"


class Away(MemoryLog):
    """EVENTS, away for as many appends as the test says; what it acknowledged late is stored all the same."""

    def __init__(self, away: int = 0, *, stores: bool = False) -> None:
        super().__init__()
        self.away = away
        self._stores = stores

    async def append_all(self, records: Sequence[Record]) -> list[Stored]:
        if self.away:
            self.away -= 1
            if self._stores:
                await super().append_all(records)
            raise Unavailable("away")
        return await super().append_all(records)


class Scene:
    """The journal, a source whose callback says `on`, and what came to EVENTS."""

    def __init__(self, root: Path, on: str = "", events: MemoryLog | None = None, tills: str = FILES[TILLS]) -> None:
        said = f"callback: {{url: https://shop.example/in, secret: {SECRET}{on}}}\n"
        self.project = project(root, {TILLS: tills + said})
        self.journal, self.events = MemoryLog(), events or MemoryLog()
        self.inbox = MemoryInbox(self.journal)
        self.metrics = Metrics()

    async def told(self, *lots: Sequence[Entry]) -> list[dict[str, Any]]:
        """Record these outcomes, let the teller work until it has nothing more to do, and return what it told."""
        for lot in lots:
            await self.journal.append(Record(SUBJECT, pack(lot), f"j{len(self.journal.records)}"))
        return await self.again()

    async def again(self) -> list[dict[str, Any]]:
        async def open_() -> MemoryInbox:
            return self.inbox

        running = asyncio.create_task(Teller(self.project, open_, self.events, self.metrics).run())
        await until(lambda: self.inbox.handed_out >= len(self.journal.records) and not self.inbox.unacknowledged())
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return [restore(record.payload).data for record, _ in self.events.records]


def delivered(raw: int = 7, **more: Any) -> Entry:
    given = {"route": "stock", "type": "inventory.sold", "seq": 3, **more}
    return outcome(entry.DELIVERED, entry.DELIVER, raw, **given)


def outcome(word: str, stage: str = entry.PROCESS, raw: int = 7, **more: Any) -> Entry:
    told = {"partner": "stores", "source": "tills", "id": "s-1", "origin": "/till/1", "type": "pos.sale", **more}
    return Entry(at=AT, stage=stage, outcome=word, raw=raw, **told)


def test_a_delivery_is_told_in_the_partners_words_and_nothing_else_is(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    noise = [
        outcome(entry.ACCEPTED, entry.GATEWAY), outcome(entry.ROUTED, type="inventory.sold"), outcome(entry.DUPLICATE),
        delivered(detail="HTTP 200 of http://10.0.0.7", key="0042/7"), delivered(source="others"),
        outcome(entry.RETRIED, entry.DELIVER, route="stock"), outcome(entry.MATCHED, entry.DELIVER, routes="stock"),
    ]  # fmt: skip

    (told,) = asyncio.run(scene.told(noise))

    assert told == {
        "type": "event.delivered",
        "timestamp": MOMENT,
        "data": {
            "id": "s-1", "source": "/till/1", "type": "pos.sale", "status": "delivered", "route": "stock", "at": MOMENT
        },
    }  # fmt: skip


def test_a_line_that_cannot_be_told_is_counted_and_the_others_are_told(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    told = asyncio.run(scene.told([delivered(raw=1), delivered(raw=2)._replace(at=10**18), delivered(raw=3)]))

    assert [one["data"]["status"] for one in told] == ["delivered", "delivered"]
    assert scene.metrics.callbacks_untold._value.get() == 1


def test_a_source_that_changed_hands_does_not_tell_of_its_former_owners_events(tmp_path: Path) -> None:
    assert asyncio.run(Scene(tmp_path).told([delivered(partner="former")])) == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            outcome(entry.DEAD_LETTERED, reason="lookup_missing", detail="items.csv has no 9520", ref=4),
            {"reason": "lookup_missing", "detail": "a value of it is not in the lists of this installation"},
        ),
        (
            outcome(entry.QUARANTINED, reason="schema_violation", detail="/lines is missing", ref=4),
            {"reason": "schema_violation", "detail": "/lines is missing"},
        ),
        (
            delivered(ref=4, reason="refused", detail="HTTP 400 of http://10.0.0.7: stack")._replace(
                outcome=entry.DEAD_LETTERED
            ),
            {"route": "stock", "reason": "refused", "detail": "the target refused it"},
        ),
    ],
)
def test_a_dead_letter_is_told_with_its_reason_and_nothing_of_the_inside(
    tmp_path: Path, line: Entry, told: dict[str, str]
) -> None:
    (found,) = asyncio.run(Scene(tmp_path).told([line]))

    same = {"id": "s-1", "source": "/till/1", "type": "pos.sale", "status": line.outcome, "at": MOMENT}
    assert found == {"type": f"event.{line.outcome}", "timestamp": MOMENT, "data": same | told}


def test_a_source_hears_only_of_what_it_asked_for(tmp_path: Path) -> None:
    scene = Scene(tmp_path, ", on: [dead_lettered]")

    told = asyncio.run(scene.told([delivered(), outcome(entry.DEAD_LETTERED, ref=1), outcome(entry.QUARANTINED)]))

    assert [one["data"]["status"] for one in told] == ["dead_lettered"]


def test_a_type_that_several_of_the_source_became_is_left_out(tmp_path: Path) -> None:
    scene = Scene(tmp_path, tills=FILES[TILLS].replace("[pos.sale]", "[pos.sale, inventory.sold]"))

    (told,) = asyncio.run(scene.told([delivered()]))

    assert "type" not in told["data"]


def test_callbacks_are_not_told_of_whatever_becomes_of_them(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    own = delivered(route="callback-tills", type="crossdock.status.tills")

    assert asyncio.run(scene.told([own, own._replace(outcome=entry.DEAD_LETTERED, type="", ref=1)])) == []


def test_what_is_handed_out_again_is_told_once_and_each_new_failure_once_more(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = Scene(tmp_path)
        dead = delivered(ref=4)._replace(outcome=entry.DEAD_LETTERED)
        lot = [dead, delivered(dead_letter="dl-1"), delivered(raw=8)]
        assert len(await scene.told(lot)) == 3
        # when: a worker died before its acknowledgement; a delivery was recorded twice; a replay failed again
        assert len(await scene.told(lot, [delivered()], [dead._replace(ref=5)])) == 4

    asyncio.run(scenario())


def test_an_event_has_one_message_id_for_each_route_and_outcome(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = Scene(tmp_path)
        lines = [delivered(), delivered(route="other"), delivered(ref=4)._replace(outcome=entry.DEAD_LETTERED)]
        await scene.told(lines)
        events = [restore(record.payload) for record, _ in scene.events.records]
        assert len({idempotency_key("callback-tills", event) for event in events}) == 3
        assert {event.id for event in events} == {"s-1"}

    asyncio.run(scenario())


def test_a_status_event_belongs_to_the_raw_event_so_that_a_trace_shows_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = Scene(tmp_path)
        await scene.told([delivered()])
        ((record, _),) = scene.events.records
        assert (record.subject, record.headers) == ("event.crossdock.status.tills", {SOURCE: "tills", RAW_SEQ: "7"})
        assert restore(record.payload).extensions == {"partner": "stores"}

    asyncio.run(scenario())


@pytest.mark.parametrize("stores", [False, True])
def test_what_the_broker_did_not_acknowledge_is_stored_again_and_once(
    tmp_path: Path, stores: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "RETRY", 0.001)
    scene = Scene(tmp_path, events=Away(3, stores=stores))

    assert len(asyncio.run(scene.told([delivered(), delivered(raw=8)]))) == 2


def test_a_message_that_cannot_be_read_is_logged_and_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> list[dict[str, Any]]:
        scene = Scene(tmp_path)
        await scene.journal.append(Record(SUBJECT, b"{}", "bad"))
        return await scene.told([delivered()])

    with caplog.at_level(logging.ERROR):
        assert len(asyncio.run(scenario())) == 1
    assert caplog.messages == ["the message 1 of the journal could not be read"]


def test_a_consumer_that_is_gone_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callbacks, "AWAY", 0.001)

    class Lost(MemoryInbox):
        lost = 2

        async def fetch(self, limit: int, wait: float) -> list[Any]:
            if self.lost:
                self.lost -= 1
                raise Unavailable("consumer callbacks does not answer")
            return await super().fetch(limit, wait)

    scene = Scene(tmp_path)
    scene.inbox = Lost(scene.journal)

    assert len(asyncio.run(scene.told([delivered()]))) == 1
