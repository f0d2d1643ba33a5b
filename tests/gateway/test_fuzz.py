"""Hostile inputs end normally or as a problem; `python -m tests.gateway.fuzz` lets loose a million of them."""

from collections.abc import Sequence
from random import SystemRandom
from typing import Any

import pytest

from crossdock.kernel.problems import Refused, refuse
from tests.gateway.fuzz import Range, Tally, make, ranges, run
from tests.gateway.fuzzground import ground

FIXED = 5
INPUTS = 10_000
SOUND = b"x" * (40 << 10)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Range]:
    return ranges(ground(tmp_path_factory.mktemp("fuzz")))


@pytest.fixture(scope="module")
def fixed(table: Sequence[Range]) -> Tally:
    return run(table, FIXED, range(INPUTS))


def found(tally: Tally) -> list[dict[str, Any]]:
    return [finding.as_dict() for finding in tally.findings.values()]


def test_no_hostile_input_is_more_than_a_problem(fixed: Tally) -> None:
    assert found(fixed) == []


def test_nor_is_one_that_nobody_has_seen_before(table: Sequence[Range]) -> None:
    seed = SystemRandom().getrandbits(32)
    assert found(run(table, seed, range(INPUTS))) == [], f"python -m tests.gateway.fuzz --seed {seed}"


def test_every_target_takes_some_inputs_and_refuses_others(table: Sequence[Range], fixed: Tally) -> None:
    assert fixed.outcomes.keys() == {one.name for one in table}
    assert {name for name, counts in fixed.outcomes.items() if not counts["taken"]} == set()
    inside = {"signed", "ndjson"}  # what they refuse is looked at in the target
    assert {name for name, counts in fixed.outcomes.items() if len(counts) < 2} <= inside


def test_an_input_of_a_seed_is_always_the_same(table: Sequence[Range]) -> None:
    made = [[make(table, FIXED, number)[1] for number in range(200)] for _ in range(2)]
    assert made[0] == made[1]
    assert made[0] != [make(table, FIXED + 1, number)[1] for number in range(200)]


def test_a_fault_is_found_and_told_once_with_its_input() -> None:
    tally = watched(_fails)
    ((target, what),) = tally.findings
    assert (target, what.split(":")[0]) == ("faulty", "KeyError in test_fuzz.py")
    assert (tally.findings[target, what].raw, tally.again) == (SOUND, {"faulty": 2})


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        (lambda _: _raise(refuse("no_such_code", "x")), "unknown code"),
        (lambda _: sum(range(20_000_000)), "slow"),
        (lambda _: bytearray(b"x") * (48 << 20), "greedy"),
    ],
    ids=["a code that is not known", "too much time", "too much memory"],
)
def test_faults_of_every_kind_are_found(fault: Any, what: str) -> None:
    assert [kind for _, kind in watched(fault).findings if kind.startswith(what)]


def watched(fault: Any) -> Tally:
    """Run a target on inputs that are left as they are made, large enough to have their memory measured."""
    one = Range("faulty", fault, lambda _: SOUND)
    return run([one], 0, [number for number in range(100) if make([one], 0, number)[1] == SOUND][:2])


def _fails(raw: bytes) -> None:
    raise KeyError(len(raw))


def _raise(refused: Refused) -> None:
    raise refused
