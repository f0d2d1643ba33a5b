"""The commands of alerts, against an operations API that answers as ours does."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from crossdock.cli import alerts
from crossdock.cli.app import app
from crossdock.cli.remote import Remote

STANDING = {
    "id": "al-1", "state": "firing", "severity": "page", "alert": "lag", "text": "events wait\x1b[2J", "since": 0,
    "acknowledged": None,
}  # fmt: skip
NOTHING: dict[str, Any] = {"firing": [], "pending": [], "recent": [], "rules": [], "channels": []}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Be the operations API: answers by method and path, and what was asked under `asked`."""
    known: dict[str, Any] = {"asked": []}

    def call(_: Remote, method: str, path: str, body: Any = None) -> Any:
        known["asked"].append((method, path, body))
        return known[f"{method} {path}"]

    monkeypatch.setattr(Remote, "call", call)
    yield known


def run(*words: str) -> tuple[int, str, str]:
    ran = CliRunner().invoke(app, [*words, "--ops", "http://ops", "--token", "t"])
    return ran.exit_code, ran.stdout, ran.stderr


def test_what_fires_is_listed_and_ends_the_command_with_1(answers: dict[str, Any]) -> None:
    answers["GET /ops/v1/alerts"] = NOTHING | {"firing": [STANDING], "recent": [STANDING | {"id": "al-0"}]}
    code, out, _ = run("alert", "list")
    assert (code, "al-1" in out, "al-0" in out, "\x1b" in out) == (1, True, False, False)
    assert "al-0" in run("alert", "list", "--recent")[1]
    assert json.loads(run("alert", "list", "--json")[1])["firing"] == [STANDING]


def test_that_nothing_is_wrong_is_said_and_what_keeps_alerts_from_being_told(answers: dict[str, Any]) -> None:
    answers["GET /ops/v1/alerts"] = NOTHING | {
        "rules": [{"alert": "lag", "fault": "nats: away"}],
        "channels": [
            {"channel": "chat", "missing": ["CHAT_URL"], "last": None, "waiting": 0},
            {"channel": "mail", "missing": [], "last": {"ok": False, "detail": "refused"}, "waiting": 3},
        ],
    }
    code, out, err = run("alert", "list")
    assert (code, out) == (0, "Nothing is wrong by 1 alert.\n")
    assert err.splitlines() == [
        "alert lag cannot be judged: nats: away",
        "channel chat is closed: not set: CHAT_URL",
        "channel mail: refused; 3 waiting",
    ]


def test_acknowledging_sends_what_is_said(answers: dict[str, Any]) -> None:
    answers["POST /ops/v1/alerts/al-1/acknowledge"] = STANDING | {"acknowledged": {"who": "ann", "until": 0}}
    code, out, _ = run("alert", "acknowledge", "al-1", "--note", "on it", "--for", "2h")
    assert (code, "ann" in out) == (0, True)
    assert answers["asked"][-1][2] == {"note": "on it", "for": "2h"}


@pytest.mark.parametrize(("ok", "code"), [(True, 0), (False, 1)])
def test_a_channel_that_does_not_work_ends_the_command_with_1(answers: dict[str, Any], ok: bool, code: int) -> None:
    answers["POST /ops/v1/alerts/test"] = {"channel": "chat", "ok": ok, "detail": "HTTP 204"}
    assert run("alert", "test", "chat")[0] == code


def test_every_command_shows_an_example() -> None:
    commands = alerts.alert_app.registered_commands
    assert all("Example:" in (one.callback.__doc__ or "") for one in commands if one.callback)
