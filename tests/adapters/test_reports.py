"""What processes report: of those that are gone nothing is kept, however many names there were."""

import asyncio
from typing import Any

import pytest
from nats.aio.msg import Msg

from crossdock.adapters import reports
from crossdock.adapters.reports import Reports
from crossdock.kernel import jsontext


async def say(heard: Reports, name: str) -> None:
    """Let a process report."""
    document = {"name": name, "state": {"lanes": {name: {}}}, "content": {}, "metrics": ""}
    nobody: Any = None
    await heard._on_report(Msg(nobody, "crossdock.report", "", jsontext.dumps(document), {}))


def test_of_processes_that_are_gone_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("crossdock.adapters.reports.time.monotonic", lambda: now[0])

    async def scenario() -> None:
        heard = Reports()
        for number in range(50):
            await say(heard, f"gateway-{number}")
            now[0] += reports.STALE / 2
        assert list(heard._latest) == ["gateway-48", "gateway-49"]
        assert list(heard.states()) == ["gateway-49"]

    asyncio.run(scenario())
