"""Compares what the gateway answers with what its OpenAPI document says, by schemathesis.

`python -m tests.gateway.contract --url URL --key KEY` asks a running gateway; without `--url` it asks one in memory.
"""

import argparse
import asyncio
import json
import socket
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossdock.supervisor.http import make_server
from tests.gateway.door import door
from tests.smallproject import TILLS, edited

LONG = 10_000
_OPERATIONS = 15
_CALL = (400, 413, 415, 422, 429)
# A refusal of data that the document allows is right only where the document cannot say the rule: a number that is too
# long to be kept, a line or a batch that holds no event, a cursor, a name or an id that a run makes up.
_REFUSES: Mapping[str, tuple[int, ...]] = {
    "catalog|openapi|livez|readyz|eventsOptions": (),
    "listEvents": (400,),
    "eventStatus": (400, 404, 409),
    "schema": (404,),
    "sourceOptions": (404,),
    "sourceOptions_.+": (),
    "challengeSource": (400, 401, 404),
    "challengeSource_.+": (400, 401, 404),
    "sendEvents": _CALL,
    "callSource": (*_CALL, 401, 403, 404),
    "callSource_.+": _CALL,
}
_REJECTS = ["400", "401", "403", "404", "405", "409", "413", "415", "422", "429", "431"]  # the tool knows no 431
_HOOK = """\
source: hook
partner: stores
accept: webhook
types: [pos.sale]
verify: {api_key: true}
event: {id: body.receipt, type: '"pos.sale"'}
handshake: {challenge: challenge}
limits: {quota: 40/d}
"""
_SOURCES: Mapping[str, str | None] = {
    **edited(TILLS, "[pos.sale]\n", "[pos.sale]\nlimits: {batch: 5}\n"),
    "gateway/hook.yaml": _HOOK,
}


@dataclass(frozen=True)
class Outcome:
    """How a run ended: the tool's exit code, what it printed, and how often each operation answered with a status."""

    code: int
    text: str
    answers: Counter[tuple[str, int]]


async def check(url: str, key: str, requests: int, seed: int = 1) -> Outcome:
    """Ask a gateway about as many requests, in every phase and with every check."""
    with tempfile.TemporaryDirectory(prefix="contract") as name:
        folder = Path(name)
        (folder / "schemathesis.toml").write_text("\n".join(map(_expected, _REFUSES)))
        report = folder / "report.ndjson"
        words = [
            "-m", "schemathesis.cli", "--config-file", folder / "schemathesis.toml", "run", f"{url}/openapi.json",
            "--header", f"Authorization:Bearer {key}", "--checks", "all",
            "--phases", "examples,coverage,fuzzing,stateful",
            "--max-examples", str(max(1, requests * 2 // 3 // _OPERATIONS)), "--seed", str(seed), "--workers", "1",
            "--continue-on-failure", "--suppress-health-check", "filter_too_much",
            "--report", "ndjson", "--report-ndjson-path", report, "--no-color",
        ]  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *map(str, words),
            cwd=folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        return Outcome(process.returncode or 0, out.decode(), _answers(report))


async def check_in_memory(root: Path, requests: int) -> Outcome:
    """Serve a gateway on memory ports and check it."""
    made = await door(root, changes=_SOURCES)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = make_server(made.app, "127.0.0.1", 0, {}, made.ingest)
        serving = asyncio.create_task(server.serve([listening]))
        try:
            return await check(f"http://127.0.0.1:{listening.getsockname()[1]}", made.key, requests)
        finally:
            server.should_exit = True
            await serving


def _expected(operation: str) -> str:
    """Return what may be answered to valid data of an operation, as the tool is told it."""
    statuses = ["2xx", *_REFUSES[operation]]
    return (
        f"[[operations]]\ninclude-operation-id-regex = '^({operation})$'\n"
        f"checks.positive_data_acceptance.expected-statuses = {statuses}\n"
        f"checks.negative_data_rejection.expected-statuses = {_REJECTS}\n"
    )


def _answers(report: Path) -> Counter[tuple[str, int]]:
    events: list[dict[str, Any]] = [json.loads(line) for line in report.read_text().splitlines()]
    return Counter(
        (recorder["label"], (made.get("response") or {}).get("status_code", 0))
        for recorder in (event["ScenarioFinished"]["recorder"] for event in events if "ScenarioFinished" in event)
        for made in recorder.get("interactions", {}).values()
    )


def main() -> None:
    """Run from the command line."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--url", help="of a running gateway")
    words.add_argument("--key", default="", help="an API key of it")
    words.add_argument("--requests", type=int, default=LONG)
    given = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="contract") as name:
        act = check(given.url, given.key, given.requests) if given.url else check_in_memory(Path(name), given.requests)
        outcome = asyncio.run(act)
    sys.stdout.write(f"{outcome.text}\n{outcome.answers.total()} requests\n")
    sys.exit(outcome.code)


if __name__ == "__main__":
    main()
