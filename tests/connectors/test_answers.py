"""What answers mean where a connector says so itself."""

from pathlib import Path

import pytest

from connectors.answers import classify, judged
from connectors.connection import Response
from connectors.port import Result
from tests.connectors.httpcases import NOW, against, answer, read
from tests.connectors.servers import always

RULES = """
answers:
  - {status: 409, is: delivered}
  - {status: [400, 422], when: 'body.error.code = "LOCKED"', is: retry}
  - {when: '$exists(body.errors)', is: permanent}
  - {when: 'headers."x-busy" = "yes"', is: throttled}
  - {status: 202, when: '$contains(body, "<Fault>")', is: in_doubt}
retry_after: {least: 5s, most: 1m}
"""


@pytest.mark.parametrize(
    ("status", "body", "headers", "outcome", "pause"),
    [
        (409, b"", {}, "delivered", 0),
        (422, b'{"error": {"code": "LOCKED"}}', {}, "retry", 0),
        (422, b'{"error": {"code": "WRONG"}}', {}, "permanent", 0),
        (200, b'{"errors": ["no stock"]}', {}, "permanent", 0),
        (200, b'{"id": 18446744073709551615}', {}, "delivered", 0),
        (200, b"", {"x-busy": "yes"}, "throttled", 5),
        (500, b"", {"x-busy": "yes", "retry-after": "7"}, "throttled", 7),
        (202, b"<Fault>1</Fault>", {}, "in_doubt", 0),
        (202, b"<Ok/>", {}, "delivered", 0),
        (503, b"", {"retry-after": "1"}, "throttled", 5),
        (429, b"", {"retry-after": "3600"}, "throttled", 60),
        (200, b'{"a": 1, "a"', {}, "delivered", 0),
    ],
)
def test_the_first_rule_that_fits_decides_then_the_status(
    tmp_path: Path, status: int, body: bytes, headers: dict[str, str], outcome: str, pause: float
) -> None:
    answers = read(tmp_path, RULES).options.answers

    result = judged(Response(status, headers, body), answers, NOW)

    assert (result.outcome, result.status, result.retry_after) == (outcome, status, pause)


@pytest.mark.parametrize("when", ["$number(body)", "body + 1"])
def test_an_answer_that_a_rule_cannot_read_leaves_the_attempt_in_doubt(tmp_path: Path, when: str) -> None:
    answers = read(tmp_path, f"answers: [{{when: '{when}', is: retry}}]").options.answers

    result = judged(Response(200, {}, b"12x"), answers, NOW)

    assert result.outcome == "in_doubt"
    assert "HTTP 200: 12x" in result.detail


def test_a_rule_that_is_neither_true_nor_false_leaves_the_attempt_in_doubt(tmp_path: Path) -> None:
    answers = read(tmp_path, "answers: [{when: body.count, is: retry}]").options.answers

    assert "when_not_boolean" in judged(Response(200, {}, b'{"count": 3}'), answers, NOW).detail


def test_what_a_rule_decides_shows_what_the_target_said_without_secrets(tmp_path: Path) -> None:
    spec = read(tmp_path, "auth: {bearer: '${T}'}\nanswers: [{status: 200, is: permanent}]", {"T": "s3cret"})

    assert against(always(answer(200, b"no s3cret")), spec) == Result("permanent", 200, "HTTP 200: no ***")


def test_without_rules_the_status_alone_decides() -> None:
    assert classify(Response(409, {}, b'{"a": 1}'), NOW) == Result("permanent", 409, 'HTTP 409: {"a": 1}')
