"""The `user` and `token` commands against a real operations API."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from console.passwords import Passwords
from crossdock.cli.app import app
from tests.console.accessmade import DIGEST, PASSWORD
from tests.console.deskmade import TOKEN, Office, office

Run = Callable[..., Awaitable[Result]]


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Passwords, "_digest", lambda *_: DIGEST)


def at_the_desk(folder: Path, act: Callable[[Run], Awaitable[None]]) -> None:
    async def scenario() -> None:
        async with office(folder) as desk:
            await act(runner(desk))

    asyncio.run(scenario())


def runner(desk: Office) -> Run:
    async def run(*words: str, typed: str | None = None, token: str = TOKEN) -> Result:
        where = ["--ops", desk.url, "--token", token]
        return await asyncio.to_thread(lambda: CliRunner().invoke(app, [*words, *where], input=typed))

    return run


def test_a_user_is_added_changed_disabled_and_removed(tmp_path: Path) -> None:
    async def act(run: Run) -> None:
        done = await run("user", "add", "anna", "--role", "operator", "--password-stdin", typed=PASSWORD + "\n")
        assert done.stdout == "anna may sign in as operator.\n"
        (anna,) = json.loads((await run("user", "list", "--json")).stdout)["items"]
        assert (anna["name"], anna["role"], anna["disabled"]) == ("anna", "operator", False)
        for words, said in (
            (("role", "anna", "admin"), "anna is admin now."),
            (("disable", "anna"), "anna may not sign in any more."),
            (("enable", "anna"), "anna may sign in again."),
            (("password", "anna", "--password-stdin"), "anna has another password."),
        ):
            assert (await run("user", *words, typed=PASSWORD)).stdout == said + "\n"
        assert "admin" in (await run("user", "list")).stdout
        assert (await run("user", "remove", "anna")).stdout == "anna is removed.\n"
        assert json.loads((await run("user", "list", "--json")).stdout) == {"items": []}

    at_the_desk(tmp_path, act)


@pytest.mark.parametrize(
    ("words", "typed", "said"),
    [
        (("add", "anna"), None, "no terminal to type the password at"),
        (("add", "anna", "--password-stdin"), "short", "12 to 256 characters"),
        (("add", "a" * 13, "--password-stdin"), "a" * 13, "would be guessed first"),
        (("add", "An na", "--password-stdin"), PASSWORD, "a name has"),
        (("role", "nobody", "viewer"), None, "no user nobody"),
        (("remove", "../x"), None, "Not Found"),
    ],
)
def test_what_cannot_be_done_is_said_with_exit_code_1(
    tmp_path: Path, words: tuple[str, ...], typed: str | None, said: str
) -> None:
    async def act(run: Run) -> None:
        done = await run("user", *words, typed=typed)
        assert (done.exit_code, said in done.stderr) == (1, True), done.stderr

    at_the_desk(tmp_path, act)


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    async def act(run: Run) -> None:
        codes = [(await run("user", "add", "anna", "--password-stdin", typed=PASSWORD)).exit_code for _ in range(2)]
        assert codes == [0, 1]

    at_the_desk(tmp_path, act)


def test_a_password_is_no_argument() -> None:
    done = CliRunner().invoke(app, ["user", "add", "anna", "--password", "secret"])
    assert done.exit_code == 2


def test_a_token_is_shown_once_works_as_its_role_and_is_revoked(tmp_path: Path) -> None:
    async def act(run: Run) -> None:
        made = await run("token", "create", "--name", "grafana", "--expires", "90d")
        token = made.stdout.strip()
        assert token.startswith("cdo_") and "keep it now" in made.stderr
        assert (await run("key", "list", token=token)).exit_code == 0
        refused = await run("user", "list", token=token)
        assert (refused.exit_code, "takes the role admin, and token:grafana is viewer" in refused.stderr) == (1, True)
        listed = await run("token", "list")
        (one,) = json.loads((await run("token", "list", "--json")).stdout)["items"]
        assert one["name"] == "grafana" and one["expires"] - one["created"] == 90 * 86_400_000
        assert token not in listed.stdout and one["id"] in listed.stdout
        assert (await run("token", "create", "--name", "grafana")).exit_code == 1
        assert (await run("token", "revoke", one["id"])).stdout == f"Token {one['id']} is revoked.\n"
        assert (await run("key", "list", token=token)).exit_code == 1
        assert (await run("token", "revoke", "../x")).exit_code == 1

    at_the_desk(tmp_path, act)
