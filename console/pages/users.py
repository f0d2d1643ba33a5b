"""`/users`: the people who sign in by name and password, and what each may do; for admins."""

from typing import Any
from urllib.parse import quote

from console.access import ROLES, Role
from console.pages.parts import sheet
from console.pages.parts.ask import Field, ask
from console.pages.parts.basics import button, empty, tag
from console.pages.parts.sheet import Column, Row, Sheet
from console.pages.visit import Visit

EVERY = 10.0  # seconds
USERS = (
    Column("Name"), Column("Role"), Column("State", "state"), Column("Added", "time"), Column("Changed", "time"),
)  # fmt: skip
ROLE = Field("role", "Role", "viewer", options=tuple(ROLES))
MAY = "viewer sees; operator replays, pauses, discards, reveals; architect changes content; admin keys and people."
_PASSWORD = Field("password", "Password, some words are a good one", required=True, kind="password", most=1000)
_AGAIN = Field("again", "The password again", required=True, kind="password", most=1000)


class _Users:
    """The parts of one opened page."""

    def __init__(self, visit: Visit) -> None:
        self._visit, self._seen = visit, dict[str, dict[str, Any]]()
        tag("p", MAY, "quiet")
        with tag("div", classes="acts-row"):
            button("New user …", self._add, "main")
        nothing = "Nobody signs in by name and password yet."
        self._table = Sheet("Users", USERS, nothing, file="users", act=self._turn)

    async def refresh(self) -> None:
        """Fill the table."""
        found = (await self._visit.api.get("users"))["items"]
        self._seen = {one["name"]: one for one in found}
        self._table.fill(self._row(one) for one in found)

    def _row(self, one: dict[str, Any]) -> Row:
        name = f"{one['name']} (you)" if one["name"] == self._visit.person else one["name"]
        turn = "Enable" if one["disabled"] else "Disable …"
        return Row(
            one["name"],
            [
                sheet.text(name), sheet.text(one["role"]),
                sheet.state("disabled", "warn") if one["disabled"] else sheet.state("may sign in", "good"),
                sheet.when(one["created"]), sheet.when(one["changed"]),
            ],
            ("Role …", "Password …", turn, "Remove …"), one["name"],
        )  # fmt: skip

    async def _add(self) -> None:
        async def attempt(given: dict[str, str]) -> str:
            wanted = {"name": given["name"].strip(), "role": given["role"], "password": given["password"]}
            return differ(given) or await self._visit.tried(self._visit.api.send("POST", "users", wanted))

        fields = [Field("name", "Name", required=True, most=64), ROLE, _PASSWORD, _AGAIN]
        given = await ask("New user", [MAY], fields, act="Add the user", attempt=attempt)
        await self._done(given, "The user is added.")

    async def _turn(self, act: str, name: str) -> None:
        if name not in self._seen:
            return
        if act == "Enable":
            if await self._visit.act(self._change(name, {"disabled": False}), f"{name} may sign in.") is not None:
                await self.refresh()
            return
        turns = {"Role …": self._role, "Password …": self._password, "Disable …": self._disable}
        await turns.get(act, self._remove)(name)

    async def _role(self, name: str) -> None:
        field = Field("role", "Role", self._seen[name]["role"], options=tuple(ROLES))

        async def attempt(given: dict[str, str]) -> str:
            return await self._visit.tried(self._change(name, given))

        given = await ask(f"Role of {name}", [MAY, *self._ends(name)], [field], act="Change the role", attempt=attempt)
        await self._done(given, f"{name} has another role.")

    async def _password(self, name: str) -> None:
        async def attempt(given: dict[str, str]) -> str:
            return differ(given) or await self._visit.tried(self._change(name, {"password": given["password"]}))

        title = f"New password of {name}"
        given = await ask(title, self._ends(name), [_PASSWORD, _AGAIN], act="Set the password", attempt=attempt)
        await self._done(given, f"{name} has a new password.")

    async def _disable(self, name: str) -> None:
        async def attempt(_: dict[str, str]) -> str:
            return await self._visit.tried(self._change(name, {"disabled": True}))

        lines = [f"{name} cannot sign in until an admin enables it again.", *self._ends(name)]
        given = await ask(f"Disable {name}", lines, act="Disable", danger=True, attempt=attempt)
        await self._done(given, f"{name} is disabled.")

    async def _remove(self, name: str) -> None:
        async def attempt(_: dict[str, str]) -> str:
            return await self._visit.tried(self._visit.api.send("DELETE", _path(name)))

        lines = [f"{name} is removed for good. What {name} did stays in the audit log.", *self._ends(name)]
        given = await ask(f"Remove {name}", lines, act="Remove", danger=True, attempt=attempt)
        await self._done(given, f"{name} is removed.")

    def _change(self, name: str, said: dict[str, Any]) -> Any:
        return self._visit.api.send("PATCH", _path(name), said)

    def _ends(self, name: str) -> list[str]:
        """Return what else happens."""
        if name == self._visit.person:
            return ["This is you: you are signed out at once."]
        return [f"Sessions of {name} end at once."]

    async def _done(self, given: dict[str, str] | None, said: str) -> None:
        if given is not None:
            self._visit.say(said, "positive")
            await self._visit.act(self.refresh())


def differ(given: dict[str, str]) -> str:
    """Return what is wrong with a password that was typed twice."""
    return "" if given["password"] == given["again"] else "The two passwords are not the same."


def _path(name: str) -> str:
    return f"users/{quote(name, safe='')}"


async def users(visit: Visit) -> None:
    """Build the page."""
    if not visit.may(Role.ADMIN):
        empty("Users are for admins. Your own password is under Your account.")
        return
    await visit.live(_Users(visit).refresh, EVERY)
