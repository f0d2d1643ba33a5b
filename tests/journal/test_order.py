"""Hops are told in the order in which they happened, though processes stamp them some milliseconds apart."""

import pytest

from journal import entry
from journal.entry import Entry
from journal.store import in_order


def hop(at: int, outcome: str, raw: int = 1) -> Entry:
    stage = {entry.ACCEPTED: entry.GATEWAY, entry.ROUTED: entry.PROCESS, entry.REPLAYED: entry.REPLAY}
    return Entry(at, stage.get(outcome, entry.DELIVER), outcome, raw=raw)


@pytest.mark.parametrize(
    ("stamped", "told"),
    [
        ("routed 5, accepted 8", "accepted routed"),
        ("routed 5, accepted 5", "accepted routed"),
        ("accepted 1, routed 5, delivered 7, matched 9", "accepted routed matched delivered"),
        ("delivered 5, matched 5, routed 5, accepted 5", "accepted routed matched delivered"),
        ("matched 5, delivered 7, matched 5007", "matched delivered matched"),  # the broker handed it out again
        ("accepted 1, dead_lettered 5, replayed 9, delivered 11", "accepted dead_lettered replayed delivered"),
    ],
)
def test_hops_of_one_event(stamped: str, told: str) -> None:
    hops = [hop(int(at), outcome) for outcome, at in (word.split() for word in stamped.split(", "))]
    assert [line.outcome for line in in_order(hops)] == told.split()


def test_events_stay_apart() -> None:
    hops = [hop(1, entry.ACCEPTED), hop(5, entry.ROUTED), hop(9, entry.ROUTED, 2), hop(12, entry.ACCEPTED, 2)]
    assert [(line.raw, line.outcome) for line in in_order(hops)] == [
        (1, entry.ACCEPTED), (1, entry.ROUTED), (2, entry.ACCEPTED), (2, entry.ROUTED),
    ]  # fmt: skip
