"""The shared feed: each event to every route it matches; none holds up another; one that falls behind comes back."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossdock.kernel.stream import DEAD_LETTER, ORIGIN, Record
from tests.pipeline.feedscene import FeedScene, hasten
from tests.pipeline.scene import DELIVERED, PERMANENT, RETRY, Target


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    hasten(monkeypatch, stale=0.05)


def two(root: Path, first: Target, second: Target, ordered: bool = False) -> FeedScene:
    scene = FeedScene(root, {"first": first, "second": second}, ordered=ordered)
    for breaker in scene.breakers.values():
        breaker._minimum = 10**9
    return scene


def test_each_event_goes_to_the_routes_it_matches_and_the_journal_names_them(tmp_path: Path) -> None:
    scene = FeedScene(tmp_path, {"all": Target(), "north": Target()}, {"north": "location = 'N'"})

    async def act() -> None:
        await scene.add("a", "N")
        await scene.add("b", "S")
        await scene.until(lambda: len(scene.final("all")) == 2 and not scene.inbox.unacknowledged())

    asyncio.run(scene.during(act))
    assert (scene.targets["all"].arrived, scene.targets["north"].arrived) == (["a", "b"], ["a"])
    assert [(line.seq, line.routes, line.behind) for line in scene.matched()] == [(1, "all,north", ""), (2, "all", "")]
    assert [line.outcome for line in scene.entries() if line.route] == ["delivered"] * 3
    assert scene.backlogs.inboxes == {}


def test_an_event_nobody_wants_is_recorded_and_acknowledged(tmp_path: Path) -> None:
    scene = FeedScene(tmp_path, {"north": Target()}, {"north": "location = 'N'"})

    async def act() -> None:
        await scene.add("b", "S")
        await scene.until(lambda: len(scene.matched()) == 1 and not scene.inbox.unacknowledged())

    asyncio.run(scene.during(act))
    assert [(line.seq, line.routes) for line in scene.matched()] == [(1, "")]


def test_nothing_is_acknowledged_before_every_route_is_done_and_recorded(tmp_path: Path) -> None:
    slow = Target()
    scene = two(tmp_path, slow, Target())

    async def act() -> None:
        slow.open.clear()
        await scene.add("a")
        await scene.until(lambda: scene.final("second") == ["a"])
        assert scene.inbox.unacknowledged() == [1]
        slow.open.set()
        await scene.settled("a")

    asyncio.run(scene.during(act))


def test_a_dead_target_holds_up_nobody_and_gets_everything_in_order_when_it_is_back(tmp_path: Path) -> None:
    # given one target of two that refuses everything
    back = asyncio.Event()
    dead = Target(lambda *_: DELIVERED if back.is_set() else RETRY)
    scene = two(tmp_path, dead, Target(), ordered=True)
    ids = [str(number) for number in range(300)]

    async def act() -> None:
        for number in ids:
            await scene.add(number, location=str(int(number) % 7))
        # then the other one gets all, and the feed has nothing left in hand
        await scene.until(lambda: set(scene.final("second")) == set(ids))
        await scene.until(lambda: not scene.inbox.unacknowledged())
        assert not scene.lanes["first"].following
        # when it is back
        back.set()
        await scene.settled(*ids)
        await scene.until(lambda: scene.lanes["first"].following and scene.backlogs.inboxes == {})
        # then it follows the feed again
        await scene.add("later")
        await scene.settled("later")

    asyncio.run(scene.during(act))
    keys = {id_: str(int(id_) % 7) for id_ in ids}
    assert all(arrived == sorted(arrived) for arrived in by_key(dead.arrived[:-1], keys))
    assert sorted(dead.arrived) == sorted([*ids, "later"])


def test_a_slow_route_falls_behind_and_the_feed_goes_on(tmp_path: Path) -> None:
    stuck = Target()
    scene = two(tmp_path, stuck, Target())
    ids = [str(number) for number in range(3000)]

    async def act() -> None:
        stuck.open.clear()
        for number in ids:
            await scene.add(number)
        await scene.until(lambda: set(scene.final("second")) == set(ids))
        stuck.open.set()
        await scene.settled(*ids)

    asyncio.run(scene.during(act))
    assert sorted(stuck.arrived) == sorted(ids)


def test_a_paused_route_keeps_its_place(tmp_path: Path) -> None:
    scene = two(tmp_path, Target(), Target())

    async def act() -> None:
        await scene.add("a")
        await scene.settled("a")
        scene.lanes["first"].pause(True)
        await scene.add("b")
        await scene.until(lambda: not scene.lanes["first"].following)
        await scene.add("c")
        await scene.until(lambda: scene.final("second") == ["a", "b", "c"] and not scene.inbox.unacknowledged())
        assert scene.targets["first"].arrived == ["a"]
        scene.lanes["first"].pause(False)
        await scene.settled("a", "b", "c")

    asyncio.run(scene.during(act))
    assert sorted(scene.targets["first"].arrived) == ["a", "b", "c"]
    # the second of them came to it before it fell behind, and again when it was back
    assert [line.behind for line in scene.matched()] == ["", "", "first"]


def test_a_replay_goes_to_its_route_alone_and_what_it_does_not_want_is_recorded(tmp_path: Path) -> None:
    scene = FeedScene(tmp_path, {"all": Target(), "north": Target()}, {"north": "location = 'N'"})
    headers = {ORIGIN: "1", DEAD_LETTER: "dl-1"}

    async def act() -> None:
        await scene.add("a", "N", "replay.north", **headers)
        await scene.add("b", "S", "replay.north", **headers)
        await scene.until(lambda: len(scene.final("north")) == 2 and not scene.inbox.unacknowledged())

    asyncio.run(scene.during(act))
    assert scene.targets["all"].arrived == []
    outcomes = [(line.id, line.outcome, line.dead_letter) for line in scene.entries()]
    assert sorted(outcomes) == [("a", "delivered", "dl-1"), ("b", "skipped", "dl-1")]


def test_a_stored_event_that_cannot_be_read_is_a_dead_letter_of_each_route(tmp_path: Path) -> None:
    scene = two(tmp_path, Target(), Target())

    async def act() -> None:
        await scene.events.append(Record("event.inventory.sold", b"\xff{", "x", {}))
        await scene.until(lambda: len(scene.letters()) == 2 and not scene.inbox.unacknowledged())

    asyncio.run(scene.during(act))
    assert {letter.route for letter in scene.letters()} == {"first", "second"}


Happening = tuple[str, str]
HAPPENINGS = st.lists(
    st.tuples(
        st.sampled_from("ABC"),
        st.sampled_from(["", "", "", "pause", "resume", "redeliver", "away", "fail", "mend", "die", "wait"]),
    ),
    min_size=1,
    max_size=25,
)


def happen(scene: FeedScene, failing: set[str], what: str) -> None:
    """Let something happen to the first of two routes, to the feed or to the streams."""
    if what in ("pause", "resume"):
        scene.lanes["first"].pause(what == "pause")
    elif what == "redeliver":
        scene.inbox.redeliver()
    elif what == "away":
        scene.log.away += 2
    elif what in ("fail", "mend"):
        (failing.add if what == "fail" else failing.discard)("all")


def by_key(ids: Sequence[str], keys: Mapping[str, str]) -> list[list[int]]:
    """Return the numbers of each key in the order of their first arrival; what a dead worker sent may come again."""
    seen: dict[str, list[int]] = defaultdict(list)
    for id_ in dict.fromkeys(ids):
        seen[keys[id_]].append(int(id_))
    return list(seen.values())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HAPPENINGS, st.lists(st.booleans(), min_size=25, max_size=25))
def test_whatever_happens_each_route_gets_all_in_order_of_key(
    tmp_path: Path, happenings: Sequence[Happening], permanent: list[bool]
) -> None:
    failing: set[str] = set()
    plans = {str(number): key for number, (key, _) in enumerate(happenings)}
    gone = {str(number) for number, fails in enumerate(permanent) if fails}
    first = Target(lambda event, _: RETRY if failing else PERMANENT if event.id in gone else DELIVERED)
    scene = two(tmp_path, first, Target(), ordered=True)
    todo = list(enumerate(happenings))

    async def life() -> None:
        while todo:
            number, (key, what) = todo.pop(0)
            await scene.add(str(number), location=key)
            happen(scene, failing, what)
            if what == "die":
                return
            await asyncio.sleep(0.08 if what == "wait" else 0)  # longer than a delivery may take in the feed's hands
        failing.clear()
        scene.lanes["first"].pause(False)
        await scene.settled(*plans)

    async def scenario() -> None:
        while todo:
            await scene.during(life, grace=0.05, hands_over=False)
            for inbox in (scene.inbox, *scene.backlogs.inboxes.values()):  # as a broker does when a worker died
                inbox.redeliver()
        failing.clear()
        await scene.during(lambda: scene.settled(*plans))

    asyncio.run(scenario())
    for target in scene.targets.values():
        assert all(ids == sorted(ids) for ids in by_key(target.arrived, plans))
    wanted = set(plans) - gone
    assert set(first.arrived) == wanted
    assert set(scene.targets["second"].arrived) == set(plans)
    assert {letter.event_id for letter in scene.letters()} == set(plans) & gone
