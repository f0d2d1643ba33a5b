"""The gateway answers as its OpenAPI document says; the long run is `python -m tests.gateway.contract`."""

import asyncio
from pathlib import Path

from tests.gateway.contract import check_in_memory


def test_the_gateway_keeps_its_contract(tmp_path: Path) -> None:
    outcome = asyncio.run(check_in_memory(tmp_path, requests=150))
    assert outcome.code == 0, outcome.text
    assert outcome.answers.total() >= 300, outcome.text
    for status in (202, 422, 429):
        assert outcome.answers["POST /v1/sources/hook", status], outcome.answers
