"""Group commit: lots form while others are stored, every caller gets its own outcome, whatever the broker does."""

import asyncio
import random
from collections.abc import Sequence

import pytest

from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Record, Stored
from crossdock.pipeline import commit
from crossdock.pipeline.commit import GroupCommit
from tests.pipeline.broker import Broker, asked, record, run


def test_one_alone_is_sent_at_once_and_by_itself() -> None:
    async def scenario(broker: Broker, group: GroupCommit) -> None:
        assert await group.append(record("a")) == Stored(1)
        assert broker.asked == [["a"]]

    run(scenario)


def test_what_comes_in_one_round_of_the_loop_is_one_lot_in_its_order() -> None:
    async def scenario(broker: Broker, group: GroupCommit) -> None:
        stored = await asyncio.gather(*(group.append(record(key)) for key in range(40)))
        assert [one.seq for one in stored] == [*range(1, 41)]
        assert broker.asked == [[str(key) for key in range(40)]]

    run(scenario)


def test_what_comes_while_lots_are_under_way_becomes_the_next_lot() -> None:
    async def scenario(broker: Broker, group: GroupCommit) -> None:
        # given: as many lots under way as may be
        broker.open.clear()
        under_way = []
        for key in range(commit.LOTS):
            under_way.append(asyncio.create_task(group.append(record(key))))
            await asked(broker, key + 1)
        # when
        later = [asyncio.create_task(group.append(record(f"later-{key}"))) for key in range(3)]
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(broker.asked) == commit.LOTS
        broker.open.set()
        await asyncio.gather(*under_way, *later)
        # then
        assert broker.asked[commit.LOTS :] == [["later-0", "later-1", "later-2"]]

    run(scenario)


def test_a_lot_is_bounded_in_records_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "LOT", 4)
    monkeypatch.setattr(commit, "LOT_BYTES", 1000)

    async def scenario(broker: Broker, group: GroupCommit) -> None:
        await asyncio.gather(*(group.append(record(key)) for key in range(6)))
        await asyncio.gather(*(group.append(record(f"big-{key}", 600)) for key in range(4)))
        assert [len(lot) for lot in broker.asked] == [4, 2, 2, 2]

    run(scenario)


def test_the_same_key_twice_at_once_is_stored_once_and_told_as_a_repeat() -> None:
    async def scenario(broker: Broker, group: GroupCommit) -> None:
        stored = await asyncio.gather(*(group.append(record(key)) for key in "abaca"))
        assert stored == [Stored(1), Stored(2), Stored(1, True), Stored(3), Stored(1, True)]
        assert broker.asked == [["a", "b", "c"]]

    run(scenario)


def test_a_resent_record_goes_beside_the_lot_and_does_not_spoil_it() -> None:
    async def scenario(broker: Broker, group: GroupCommit) -> None:
        await group.append(record("old"))
        await group.append_all([record("of-a-batch"), record("other")])
        stored = await asyncio.gather(*(group.append(record(key)) for key in ("new-1", "old", "of-a-batch", "new-2")))
        assert [one.duplicate for one in stored] == [False, True, True, False]
        assert stored[1].seq == 1 and stored[2].seq == 2
        assert sorted(broker.asked[2:]) == [["new-1", "new-2"], ["of-a-batch"], ["old"]]

    run(scenario)


def test_keys_are_remembered_for_long_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "KNOWN", 3)

    async def scenario(broker: Broker, group: GroupCommit) -> None:
        for key in range(20):
            await group.append(record(key))
        await asyncio.gather(*(group.append(record(key)) for key in (0, 1, 18, 19)))
        assert sorted(broker.asked[20:]) == [["0", "1"], ["18"], ["19"]]

    run(scenario)


def test_a_lot_that_fails_fails_for_its_members_only_and_a_second_try_is_taken() -> None:
    async def scenario(broker: Broker, group: GroupCommit) -> None:
        # given
        broker.fails = lambda keys: "bad" in keys
        # when
        first = await asyncio.gather(*(group.append(record(key)) for key in ("a", "bad", "a")), return_exceptions=True)
        other = await group.append(record("b"))
        # then
        assert [type(outcome) for outcome in first] == [Unavailable] * 3
        assert other == Stored(1)
        broker.fails = lambda keys: False
        assert await group.append(record("a")) == Stored(2)

    run(scenario)


def test_a_broken_broker_client_is_unavailable_and_not_a_silence() -> None:
    class Broken(Broker):
        async def append_all(self, records: Sequence[Record]) -> list[Stored]:
            raise ZeroDivisionError

    async def scenario() -> None:
        group = GroupCommit(Broken())
        async with asyncio.timeout(5):
            found = await asyncio.gather(*(group.append(record(key)) for key in "ab"), return_exceptions=True)
        assert [type(outcome) for outcome in found] == [Unavailable] * 2

    asyncio.run(scenario())


def test_too_much_is_refused_at_once_and_room_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "MOST", 5)
    monkeypatch.setattr(commit, "MOST_BYTES", 1000)

    async def scenario(broker: Broker, group: GroupCommit) -> None:
        # given
        broker.open.clear()
        tasks = [asyncio.create_task(group.append(record(key))) for key in range(5)]
        await asked(broker, 1)
        # then
        with pytest.raises(Unavailable, match="too much"):
            await group.append(record("sixth"))
        with pytest.raises(Unavailable, match="too much"):
            await group.append_all([record("seventh")])
        with pytest.raises(Unavailable, match="too much"):
            group.submit(record(0), lambda outcome: None)  # a repeat waits too
        broker.open.set()
        await asyncio.gather(*tasks)
        assert (await group.append(record("sixth"))).seq == 6
        with pytest.raises(Unavailable, match="too much"):
            await group.append(record("fat", 1001))
        assert len(await group.append_all([record("eighth", 990)])) == 1

    run(scenario)


def test_what_waited_too_long_is_told_so_and_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "PATIENCE", -1.0)

    async def scenario(broker: Broker, group: GroupCommit) -> None:
        with pytest.raises(Unavailable, match="too long"):
            await group.append(record("late"))
        assert broker.asked == []

    run(scenario)


def test_one_caller_that_fails_or_went_away_does_not_concern_the_others() -> None:
    async def scenario(broker: Broker, group: GroupCommit) -> None:
        # given
        broker.open.clear()
        gone = asyncio.create_task(group.append(record("gone")))
        stays = asyncio.create_task(group.append(record("stays")))
        await asked(broker, 1)

        def fail(outcome: object) -> None:
            raise ZeroDivisionError

        group.submit(record("fails"), fail)
        after = asyncio.create_task(group.append(record("after")))
        # when
        gone.cancel()
        broker.open.set()
        # then
        assert (await stays).seq == 2
        assert (await after).seq == 4

    run(scenario)


def test_closing_waits_for_everything() -> None:
    async def scenario(broker: Broker, group: GroupCommit) -> None:
        told: list[object] = []
        for key in range(10):
            group.submit(record(key), told.append)
        await group.close()
        assert told == [Stored(seq) for seq in range(1, 11)]

    run(scenario)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_fails_delays_and_repeats_each_caller_hears_the_truth_once(seed: int) -> None:
    chance = random.Random(seed)

    async def scenario(broker: Broker, group: GroupCommit) -> None:
        broker.fails = lambda keys: chance.random() < 0.2
        told: list[tuple[str, Stored | Unavailable]] = []

        async def caller(number: int) -> None:
            key = str(chance.randrange(60))
            for _ in range(chance.randrange(6)):
                await asyncio.sleep(0)
            if chance.random() < 0.1:
                broker.open.clear() if broker.open.is_set() else broker.open.set()
            group.submit(record(key, chance.randrange(2000)), lambda outcome: told.append((key, outcome)))

        await asyncio.gather(*(caller(number) for number in range(200)))
        broker.open.set()
        await group.close()
        # then: one outcome a caller, each stored key was new exactly once, and every sequence is that of the key
        assert len(told) == 200
        places = {item.key: seq for seq, (item, _) in enumerate(broker.records, 1)}
        acknowledged = [(key, outcome) for key, outcome in told if isinstance(outcome, Stored)]
        assert all(outcome.seq == places[key] for key, outcome in acknowledged)
        assert sorted(key for key, outcome in acknowledged if not outcome.duplicate) == sorted(places)
        assert len(broker.records) == len(places)

    run(scenario)
