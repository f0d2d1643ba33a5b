"""Replays: what is sent, what is only planned, and what cannot be sent any more."""

import asyncio
from collections.abc import Collection
from dataclasses import replace

import pytest

from crossdock.adapters.memory import MemoryLog
from crossdock.adapters.memorysends import MemorySends
from crossdock.kernel.problems import Unavailable
from crossdock.pipeline.acts import Acts
from crossdock.pipeline.replay import Replayed, replay_letters
from dlq.record import DeadLetter
from journal.entry import SUBJECT, unpack
from journal.store import DISCARDED, OPEN, REPLAYING, RESOLVED, LetterState
from tests.pipeline.scene import FlakyLog

STATE = LetterState("dl-1", "s-1", "deliver", "tills", "stock", "stores", "refused", "no", OPEN, 1, 2, 1, 7)
LETTER = DeadLetter(
    "dl-1", "deliver", "stores", "tills", "stock", "s-1", "inventory.sold", "refused", "no", (), 1, 1, 2, 5, 5,
    "event.inventory.sold", {"Crossdock-Raw": "3"}, b"{}", "0042/7",
)  # fmt: skip


class Letters:
    """Dead letters by sequence."""

    def __init__(self, **kept: DeadLetter) -> None:
        self.kept = kept

    async def get(self, seq: int) -> DeadLetter | None:
        return self.kept.get(f"s{seq}")


def run(
    log: MemoryLog, *states: LetterState, dry_run: bool = False, routes: Collection[str] = ("stock",)
) -> list[Replayed]:
    letters = Letters(s7=LETTER, s8=replace(LETTER, id="dl-2", stage="process", route="", subject="raw.stores.tills"))
    known = {state.id: state for state in states}
    acts = Acts(lambda _: known, lambda: len(log.records), MemorySends(log))
    return asyncio.run(replay_letters(states, letters, log, acts, routes, dry_run=dry_run))


def test_the_journal_says_so_before_the_copy_is_sent() -> None:
    log = MemoryLog()
    assert run(log, STATE) == [Replayed("dl-1", "s-1", "sent")]
    assert [record.subject for record, _ in log.records] == [SUBJECT, "replay.stock"]
    (line,) = unpack(log.records[0][0].payload)
    assert (line.stage, line.outcome, line.dead_letter, line.route) == ("replay", "replayed", "dl-1", "stock")
    assert (line.raw, line.seq, line.key, line.ref) == (3, 5, "0042/7", 7)


def test_one_whose_route_is_gone_is_left_as_it_is() -> None:
    log = MemoryLog()
    assert run(log, STATE, routes=()) == [Replayed("dl-1", "s-1", "skipped", "no route stock is in force")]
    assert log.records == []


def test_a_raw_event_is_recorded_by_its_raw_sequence() -> None:
    log = MemoryLog()
    run(log, replace(STATE, id="dl-2", ref=8))
    (line,) = unpack(log.records[0][0].payload)
    assert (line.raw, line.seq, line.route, log.records[1][0].subject) == (5, 0, "", "raw.stores.tills")


def test_a_dry_run_says_the_same_and_sends_nothing() -> None:
    log = MemoryLog()
    assert run(log, STATE, dry_run=True) == [Replayed("dl-1", "s-1", "sent")]
    assert log.records == []


@pytest.mark.parametrize(
    ("state", "outcome"), [(OPEN, "sent"), (REPLAYING, "sent"), (RESOLVED, "skipped"), (DISCARDED, "skipped")]
)
def test_only_what_is_not_settled_is_sent(state: str, outcome: str) -> None:
    log = MemoryLog()
    assert [one.outcome for one in run(log, replace(STATE, state=state))] == [outcome]
    assert bool(log.records) is (outcome == "sent")


def test_what_is_past_its_retention_is_gone_and_the_others_are_sent() -> None:
    log = MemoryLog()
    assert [one.outcome for one in run(log, replace(STATE, id="dl-0", ref=99), STATE)] == ["gone", "sent"]


def test_the_same_failure_replayed_twice_is_sent_once_and_after_another_failure_again() -> None:
    log = MemoryLog()
    for failures in (1, 1, 2):
        run(log, replace(STATE, failures=failures))
    assert len([record for record, _ in log.records if record.subject == "replay.stock"]) == 2


def test_a_broker_that_is_away_is_told_to_the_caller() -> None:
    class Away(FlakyLog):
        async def append(self, record):  # type: ignore[no-untyped-def]
            if record.subject.startswith("replay."):
                raise Unavailable("away")
            return await super().append(record)

    with pytest.raises(Unavailable):
        run(Away(), STATE)
