"""Attempts without an answer: they may have been applied, and everything says so."""

import asyncio
from pathlib import Path

import pytest

from connectors.port import Result
from crossdock.kernel.retry import Retry
from tests.pipeline.scene import DELIVERED, PERMANENT, RETRY, LaneScene, Target

IN_DOUBT = Result("in_doubt", 0, "no answer within 15 s")


def deliver(scene: LaneScene) -> None:
    async def act() -> None:
        await scene.add("a")
        await scene.settled(1)

    asyncio.run(scene.during(act))


def test_an_attempt_in_doubt_is_said_so_and_made_again_with_the_same_key(tmp_path: Path) -> None:
    target = Target(lambda _, attempt: IN_DOUBT if attempt == 1 else DELIVERED)
    scene = LaneScene(tmp_path, target)
    deliver(scene)
    assert [(line.outcome, line.detail) for line in scene.entries()] == [
        ("retried", "in doubt: may have been applied: no answer within 15 s"),
        ("delivered", "HTTP 200"),
    ]
    assert len(target.keys["a"]) == 1
    assert 'crossdock_attempts_total{outcome="in_doubt",route="stock"} 1.0' in scene.metrics.text().decode()


@pytest.mark.parametrize(
    ("last", "reason", "detail"),
    [
        (IN_DOUBT, "in_doubt", "in doubt: may have been applied: no answer within 15 s"),
        (RETRY, "in_doubt", "HTTP 503; an earlier attempt is in doubt: may have been applied"),
        (PERMANENT, "refused", "HTTP 400: no; an earlier attempt is in doubt: may have been applied"),
    ],
)
def test_what_is_given_up_after_an_attempt_in_doubt_says_so(
    tmp_path: Path, last: Result, reason: str, detail: str
) -> None:
    answers = Target(lambda _, attempt: IN_DOUBT if attempt == 1 else last)
    scene = LaneScene(tmp_path, answers, retry=Retry(age=0.05, first=0.01, most=0.02))
    deliver(scene)
    (letter,) = scene.letters()
    assert letter.reason == reason
    assert letter.detail.startswith(detail)
