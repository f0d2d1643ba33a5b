"""The regression guard of what an event costs."""

import asyncio
from pathlib import Path

import orjson
import pytest

from bench import guard
from bench.sales import make_load
from crossdock.project import load


def test_every_step_is_measured_and_has_a_figure_in_the_repository() -> None:
    bodies = [sale.body for sale, _ in make_load(1, 20).messages]
    measures = guard.make_measures(load(Path(guard.__file__).parent / "project", {}, strict_env=False), bodies)
    best: dict[str, float] = {}
    guard.measure_all(best, measures, bodies[0], rounds=1)
    assert guard.ratios(best).keys() == orjson.loads(guard.KEPT.read_bytes()).keys()
    assert min(best.values()) > 0


def test_a_step_that_became_dearer_is_named_and_one_without_a_figure_too() -> None:
    assert guard.dearer({"a": 1.14, "b": 1.16, "c": 0.5}, {"a": 1.0, "b": 1.0}) == ["b", "c"]


def test_events_that_the_gateway_refuses_are_no_measure() -> None:
    bodies = [sale.body.replace(b"pos.sale", b"pos.none") for sale, _ in make_load(1, 3).messages]
    with pytest.raises(IndexError):
        guard.make_measures(load(Path(guard.__file__).parent / "project", {}, strict_env=False), bodies)


def test_a_round_takes_the_best_of_all() -> None:
    best = {"yardstick": 1e-9, "step": 5.0}

    async def nothing() -> None:
        await asyncio.sleep(0)

    guard.measure_all(best, {"step": nothing}, b"{}", rounds=1)
    assert best["yardstick"] == 1e-9 and best["step"] < 5.0
