"""The `key` commands against a real operations API, and how a key is shown to people."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from crossdock.cli.app import app
from crossdock.cli.keys import end, last_use, scopes
from crossdock.kernel.apikeys import record_of
from crossdock.pipeline.recorder import now_ms
from tests.console.deskmade import TOKEN, Office, office
from tests.smallproject import source

NOW = 1_790_000_000_000
FILES = {"gateway/stock.yaml": source("stock", "stores").replace("[pos.sale]", "[inventory.sold]")}
KEY = {"sources": [], "types": [], "status": True, "rate": 0, "expires": 0, "expired": False, "rolled_to": ""}
Run = Callable[..., Awaitable[Result]]


def at_the_desk(folder: Path, act: Callable[[Office, Run], Awaitable[None]]) -> None:
    """Serve the operations API, and run commands against it."""

    async def scenario() -> None:
        async with office(folder, FILES) as desk:

            async def run(*words: str) -> Result:
                where = ["--ops", desk.url, "--token", TOKEN]
                return await asyncio.to_thread(lambda: CliRunner().invoke(app, ["key", *words, *where]))

            await act(desk, run)

    asyncio.run(scenario())


def test_a_key_is_made_with_its_scopes_and_shown_once(tmp_path: Path) -> None:
    async def act(desk: Office, run: Run) -> None:
        # when
        done = await run(
            "create", "--partner", "stores", "--source", "tills", "--source", "stock", "--type", "pos.sale",
            "--type", "inventory.sold", "--no-status", "--expires", "90d", "--rate", "50/s",
            "--note", "Till 7", "--json",
        )  # fmt: skip
        # then
        made = json.loads(done.stdout)
        assert list(made)[:3] == ["id", "key", "partner"]
        record = record_of(desk.keys, made["key"], now_ms())
        assert record is not None
        assert (record.sources, record.types) == (("tills", "stock"), ("pos.sale", "inventory.sold"))
        assert (record.status, record.rate, record.note) == (False, 50, "Till 7")
        assert record.expires - record.created == 90 * 86_400_000
        # and when
        listed = await run("list")
        # then
        assert made["key"] not in listed.stdout and made["key"] not in (await run("list", "--json")).stdout
        rights = "sources tills, stock; types pos.sale, inventory.sold; no status; 50/s"
        assert all(part in listed.stdout for part in (made["id"], rights, "never", "Till 7"))

    at_the_desk(tmp_path, act)


def test_the_key_alone_is_on_standard_output(tmp_path: Path) -> None:
    async def act(desk: Office, run: Run) -> None:
        done = await run("create", "--partner", "stores")
        record = record_of(desk.keys, done.stdout.strip(), now_ms())
        assert record is not None
        rolled = await run("roll", record.id, "--overlap", "2h")
        assert record_of(desk.keys, rolled.stdout.strip(), now_ms()) is not None
        assert f"Key {record.id} ends 2" in rolled.stderr

    at_the_desk(tmp_path, act)


def test_a_key_is_rolled_and_revoked_by_its_id(tmp_path: Path) -> None:
    async def act(desk: Office, run: Run) -> None:
        # given
        first = json.loads((await run("create", "--partner", "stores", "--json")).stdout)
        # when
        second = json.loads((await run("roll", first["id"], "--overlap", "0s", "--json")).stdout)
        # then
        assert record_of(desk.keys, first["key"], now_ms()) is None
        assert f"rolled to {second['id']}" in (await run("list")).stdout
        assert "EXPIRED" in (await run("list")).stdout
        # and when
        done = await run("revoke", second["id"])
        # then
        assert done.stdout == f"Key {second['id']} is revoked.\n"
        assert record_of(desk.keys, second["key"], now_ms()) is None
        assert (await run("revoke", second["id"])).exit_code == 1

    at_the_desk(tmp_path, act)


def test_the_list_says_how_long_ago_a_key_was_used(tmp_path: Path) -> None:
    async def act(desk: Office, run: Run) -> None:
        made = json.loads((await run("create", "--partner", "stores", "--json")).stdout)
        await desk.uses.note({made["id"]: now_ms() - 3 * 3_600_000})
        assert "3 h ago" in (await run("list")).stdout

    at_the_desk(tmp_path, act)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["create", "--partner", "store"], "did you mean stores?"),
        (["create", "--partner", "stores", "--source", "till"], "did you mean tills?"),
        (["create", "--partner", "stores", "--expires", "soon"], "no duration such as 90d"),
        (["roll", "../x"], "Not Found"),
        (["roll", "aa bb"], "no key"),
        (["revoke", "unknown"], "no key"),
    ],
)
def test_what_cannot_be_done_is_said_with_exit_code_1(tmp_path: Path, words: list[str], said: str) -> None:
    async def act(_: Office, run: Run) -> None:
        done = await run(*words)
        assert (done.exit_code, done.stdout) == (1, "")
        assert said in done.stderr

    at_the_desk(tmp_path, act)


def test_a_note_cannot_steer_the_terminal(tmp_path: Path) -> None:
    async def act(desk: Office, run: Run) -> None:
        made = json.loads((await run("create", "--partner", "stores", "--json")).stdout)
        record = desk.keys.find(made["id"])
        assert record is not None
        await desk.keys.replace(record, replace(record, note="\x1b[2Jgone [red]x[/]"))
        assert "\\x1b[2Jgone [red]x[/]" in (await run("list")).stdout

    at_the_desk(tmp_path, act)


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ({}, "all"),
        ({"sources": ["a", "b"]}, "sources a, b"),
        ({"types": ["t"], "status": False, "rate": 5}, "types t; no status; 5/s"),
    ],
)
def test_scopes_in_words(key: dict[str, Any], shown: str) -> None:
    assert scopes(KEY | key) == shown


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ({}, "never"),
        ({"expires": NOW}, "2026-09-21 14:13:20.000Z"),
        ({"expires": NOW, "expired": True}, "EXPIRED 2026-09-21 14:13:20.000Z"),
        ({"expires": NOW, "rolled_to": "aa"}, "2026-09-21 14:13:20.000Z, rolled to aa"),
    ],
)
def test_the_end_of_a_key_in_words(key: dict[str, Any], shown: str) -> None:
    assert end(KEY | key) == shown


@pytest.mark.parametrize(
    ("used", "shown"),
    [
        (None, "unknown"),
        (0, "never"),
        (NOW + 500, "0 s ago"),
        (NOW - 119_000, "119 s ago"),
        (NOW - 120_000, "2 min ago"),
        (NOW - 7_200_000, "2 h ago"),
        (NOW - 400 * 86_400_000, "400 d ago"),
    ],
)
def test_the_last_use_in_words(used: int | None, shown: str) -> None:
    assert last_use({"last_used": used}, NOW) == shown
