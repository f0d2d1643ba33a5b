"""Short runs of the measures of lanes: order through kills, and a healthy target beside three bad ones."""

import asyncio

import pytest

from bench import order, targets


def test_order_holds_through_failures_delays_and_kills(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "KILL_EVERY", 0.3)
    monkeypatch.setattr(order, "KILLS", 1)
    found = asyncio.run(order.run(keys=200, events=2000, workers=1))
    assert (found["missing"], found["disordered"], found["balanced"]) == (0, [], True)
    assert found["kills"] == 1
    assert (found["route"]["delivered"], found["route"]["dead_lettered"]) == (found["events"], 0)


def test_three_bad_targets_are_felt_by_no_fourth_and_get_everything_in_the_end() -> None:
    found = asyncio.run(targets.run(seconds=4, rate=40))
    assert found["balanced"]
    assert len({row["delivered"] for row in found["routes"]}) == 1
    assert all(row["delivered"] == row["matched"] for row in found["routes"])
    assert found["requests"]["oms"] > 0
    assert found["bad"]["p50_ms"] < found["quiet"]["p50_ms"] + 1000  # behind the WMS it would wait for 2 s and more
