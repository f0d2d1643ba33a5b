"""The commands of operators against one running installation: exit codes and the JSON shapes scripts rely on."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from crossdock.cli.app import app
from tests.smallproject import ENV, write

ROOT = Path(__file__).parents[2]
CROSSDOCK = [sys.executable, "-m", "crossdock"]
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("CROSSDOCK_")} | ENV
LINES = [{"gtin": "1", "qty": 2}, {"gtin": "2", "qty": 1}]


@dataclass
class Site:
    """An installation of the small project, and a key of its partner; its target never answers."""

    ready: dict[str, Any]
    key: str = ""

    def run(self, *words: str) -> Result:
        """Run a command in this process, as starting another one takes a second."""
        unset = {key: None for key in os.environ if key.startswith("CROSSDOCK_")}
        return CliRunner().invoke(app, [*words, "--data", self.ready["data"]], env=unset)

    def start(self, *words: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command as a process of its own."""
        command = [*CROSSDOCK, *words, "--data", self.ready["data"]]
        return subprocess.run(
            command, cwd=ROOT, env=ENVIRONMENT, input=given, capture_output=True, text=True, check=False, timeout=30
        )

    def json(self, *words: str, code: int = 0) -> Any:
        done = self.run(*words, "--json")
        assert done.exit_code == code, done.stderr
        return json.loads(done.stdout)

    def send(self, id_: str, receipt: str, lines: list[dict[str, Any]]) -> int:
        data = {"store": "0042", "receipt": receipt, "lines": lines}
        event = {"specversion": "1.0", "id": id_, "source": "/till/1", "type": "pos.sale", "data": data}
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/cloudevents+json"}
        request = urllib.request.Request(f"{self.ready['gateway']}/v1/events", json.dumps(event).encode(), headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)

    def until(self, look: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + 15
        while not (found := look()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return found

    def route(self) -> Any:
        """Return the one route as the overview shows it."""
        request = urllib.request.Request(f"{self.ready['console']}/ops/v1/overview")
        request.add_header("authorization", f"Bearer {self.ready['ops_token']}")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())["routes"][0]

    def letters(self, state: str, attempts: int = 1) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.json("dlq", "list", "--state", state)["items"]
        return [item for item in items if item["attempts"] >= attempts]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    project = write(folder / "project")
    words = ["up", "--json", "--project", project, "--data", folder / "data"]
    words += ["--gateway-port", "0", "--console-port", "0"]
    process = subprocess.Popen(
        [*CROSSDOCK, *map(str, words)], cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        made = Site(json.loads(process.stdout.readline()))
        made.key = made.json("key", "create", "--partner", "stores")["key"]
        assert made.send("good", "R-1", LINES) == 202
        assert made.send("bad", "R-2", [{"gtin": "99", "qty": 1}]) == 202
        made.until(lambda: made.letters("open"))
        yield made
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_a_running_installation_says_where_it_is(site: Site) -> None:
    assert list(site.ready) == ["event", "gateway", "console", "ops_token", "data"]
    assert site.ready["event"] == "ready"


def test_what_people_did_is_listed_and_the_log_of_it_is_whole(site: Site) -> None:
    assert "key.create" in site.run("audit", "list").stdout
    found = site.json("audit", "verify")
    assert (found["valid"], found["entries"] > 0, found["problems"]) == (True, True, [])


def test_keys_are_made_listed_and_revoked(site: Site) -> None:
    made = site.json("key", "create", "--partner", "stores")
    assert list(made)[:3] == ["id", "key", "partner"]
    listed = site.run("key", "list", "--json")
    assert listed.exit_code == 0, listed.stderr
    assert made["id"] in listed.stdout and made["key"] not in listed.stdout
    assert site.run("key", "revoke", made["id"]).exit_code == 0
    assert site.run("key", "revoke", made["id"]).exit_code == 1
    assert made["id"] not in site.run("key", "list").stdout


def test_a_key_for_nobody_is_a_problem_that_names_the_partners(site: Site) -> None:
    done = site.run("key", "create", "--partner", "nobody")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "known: stores" in done.stderr


@pytest.mark.parametrize("key", ["good", "0042/R-1"])
def test_trace_finds_an_event_by_its_id_and_its_business_key(site: Site, key: str) -> None:
    found = site.until(lambda: site.json("trace", key))
    assert (found["event"]["id"], found["event"]["partner"]) == ("good", "stores")
    assert {"at", "stage", "outcome", "detail"} <= set(found["hops"][0])
    assert ("process", "routed") in [(hop["stage"], hop["outcome"]) for hop in found["hops"]]
    assert "routed" in site.run("trace", key).stdout


def test_trace_names_the_routes_that_matched(site: Site) -> None:
    def matched() -> list[dict[str, Any]]:
        return [hop for hop in site.json("trace", "good")["hops"] if hop["outcome"] == "matched"]

    hop = site.until(matched)[0]
    assert (hop["stage"], hop["routes"], hop["behind"]) == ("deliver", ["stock"], [])
    assert hop["feed"] == "feed-0-of-1"
    assert re.search(r"deliver +matched +good +stock", site.run("trace", "good").stdout)


def test_a_route_whose_target_never_answers_is_shown_as_behind(site: Site) -> None:
    assert site.until(lambda: site.route()["behind"])


def test_an_unknown_event_is_a_problem(site: Site) -> None:
    done = site.run("trace", "nobody", "--json")
    assert (done.exit_code, done.stdout) == (1, "") and "nobody" in done.stderr


def test_the_ledger_balances_and_has_its_shape(site: Site) -> None:
    found = site.json("ledger")
    assert list(found)[:4] == ["balanced", "sources", "routes", "unexplained"]
    assert found["balanced"] is True and found["unexplained"] == []
    (source,), (route,) = found["sources"], found["routes"]
    assert list(source) == ["source", "accepted", "routed", "duplicate", "quarantined", "dead_lettered", "in_progress"]
    assert list(route) == ["route", "matched", "delivered", "dead_lettered", "discarded", "in_progress"]
    assert (source["source"], source["accepted"], source["routed"]) == ("tills", 2, 1)
    assert (route["route"], route["matched"], route["in_progress"]) == ("stock", 1, 1)
    text = site.run("ledger")
    assert text.exit_code == 0 and "Balanced" in text.stdout
    deep = site.json("ledger", "--deep")
    assert [deep[part] for part in ("sources", "routes", "by_day")] == [
        found[part] for part in ("sources", "routes", "by_day")
    ]


def test_a_dead_letter_is_listed_shown_and_replayed(site: Site) -> None:
    (letter,) = site.letters("open")
    shape = "id event_id stage source route reason detail state first_seen last_seen attempts problem"
    assert list(letter) == shape.split()
    assert (letter["event_id"], letter["stage"], letter["reason"]) == ("bad", "process", "lookup_missing")
    shown = site.json("dlq", "show", letter["id"])
    assert '"gtin": "99"' in shown["original"]["text"]
    sent = site.json("dlq", "replay", letter["id"], "--yes")
    assert sent["items"] == [{"id": letter["id"], "event_id": "bad", "outcome": "sent"}]
    again = site.until(lambda: site.letters("open", attempts=letter["attempts"] + 1))
    assert [one["id"] for one in again] == [letter["id"]]
    assert site.json("ledger")["balanced"]


def test_a_replay_asks_first(site: Site) -> None:
    before = site.letters("open")
    done = site.start("dlq", "replay", "--reason", "lookup_missing", given="n\n")
    assert done.returncode == 1 and "Send 1 of 1" in done.stderr
    assert site.letters("open") == before


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["dlq", "show", "dl-0"], 1),
        (["dlq", "replay", "dl-0", "--yes"], 1),
        (["dlq", "replay"], 2),
        (["dlq", "list", "--limit", "0"], 2),
        (["route", "pause", "nowhere"], 1),
        (["route", "pause"], 2),
        (["trace", "good", "--ops", "nonsense"], 2),
        (["trace", "good", "--ops", "http://127.0.0.1:1", "--token", "t"], 1),
    ],
)
def test_what_cannot_be_done_has_its_exit_code_and_no_trace_of_python(site: Site, words: list[str], code: int) -> None:
    done = site.start(*words)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr and "Traceback" not in done.stderr


def test_a_wrong_token_and_a_wrong_server_are_problems(site: Site) -> None:
    for address in (site.ready["console"], site.ready["gateway"], site.ready["console"] + "/livez?"):
        done = site.start("key", "list", "--ops", address, "--token", "wrong")
        assert (done.returncode, done.stdout) == (1, "") and "Traceback" not in done.stderr


def test_nothing_runs_in_an_empty_folder(site: Site, tmp_path: Path) -> None:
    words = [*CROSSDOCK, "ledger", "--data", str(tmp_path)]
    done = subprocess.run(words, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "nothing runs in" in done.stderr


def test_a_route_is_paused_and_resumed(site: Site) -> None:
    assert site.json("route", "pause", "stock") == {"route": "stock", "paused": True}
    site.until(lambda: site.route()["breaker"] == "paused")
    assert site.json("route", "resume", "stock") == {"route": "stock", "paused": False}
    site.until(lambda: site.route()["breaker"] != "paused")
