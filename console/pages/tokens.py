"""`/tokens`: API tokens of scripts and dashboards: made, shown once, revoked; for admins."""

from typing import Any
from urllib.parse import quote

from console.access import ROLES, Role
from console.pages.parts import sheet
from console.pages.parts.ask import Field, ask
from console.pages.parts.basics import button, empty, tag
from console.pages.parts.secret import show_secret
from console.pages.parts.sheet import Column, Row, Sheet
from console.pages.visit import Visit

EVERY = 10.0  # seconds
SOON = 7 * 86_400_000  # milliseconds before the end, from which on it is told
TOKENS = (
    Column("Name"), Column("Role"), Column("State", "state"), Column("Expires", "time"), Column("Made", "time"),
    Column("Made by"), Column("Id", "code"),
)  # fmt: skip
FIELDS = (
    Field("name", "Name, such as grafana", required=True, most=64),
    Field("role", "Role", "viewer", options=tuple(ROLES)),
    Field("expires", "Ends after or on (90d, 2031-12-31; empty: never)", "90d", most=40),
)


class _Tokens:
    """The parts of one opened page."""

    def __init__(self, visit: Visit) -> None:
        self._visit, self._seen = visit, dict[str, dict[str, Any]]()
        tag("p", "A token acts as token:NAME in the audit log, with its role, and needs no session.", "quiet")
        with tag("div", classes="acts-row"):
            button("New token …", self._make, "main")
        self._table = Sheet("Tokens", TOKENS, "There are no API tokens.", file="tokens", act=self._revoke)

    async def refresh(self) -> None:
        """Fill the table."""
        found = (await self._visit.api.get("tokens"))["items"]
        self._seen = {one["id"]: one for one in found}
        self._table.fill(_row(one) for one in found)

    async def _make(self) -> None:
        made: dict[str, Any] = {}

        async def make(given: dict[str, str]) -> None:
            made.update(await self._visit.api.send("POST", "tokens", given))

        async def attempt(given: dict[str, str]) -> str:
            return await self._visit.tried(make({name: value.strip() for name, value in given.items()}))

        lines = ["Give it the lowest role that is enough. It is shown once."]
        if await ask("New token", lines, FIELDS, act="Make the token", attempt=attempt) is not None:
            lines = ["Nobody can see it again, here or elsewhere: keep it where its program finds it."]
            await show_secret(f"The token {made['name']}", made["token"], lines)
            await self._visit.act(self.refresh())

    async def _revoke(self, _: str, token: str) -> None:
        if token not in self._seen:
            return
        name = self._seen[token]["name"]

        async def attempt(_: dict[str, str]) -> str:
            return await self._visit.tried(self._visit.api.send("DELETE", f"tokens/{quote(token, safe='')}"))

        lines = [f"1 token, {name}, is refused from now on. Whatever uses it stops working."]
        if await ask(f"Revoke {name}", lines, act="Revoke", danger=True, attempt=attempt) is not None:
            self._visit.say(f"{name} is revoked.", "positive")
            await self._visit.act(self.refresh())


def _row(one: dict[str, Any]) -> Row:
    return Row(
        one["id"],
        [
            sheet.text(one["name"]), sheet.text(one["role"]),
            sheet.state("expired", "warn") if one["expired"] else sheet.state("works", "good"),
            sheet.when(one["expires"]) if one["expires"] else sheet.text("never"),
            sheet.when(one["created"]), sheet.text(one["by"]), sheet.text(one["id"]),
        ],
        ("Revoke …",), one["name"],
    )  # fmt: skip


async def tokens(visit: Visit) -> None:
    """Build the page."""
    if not visit.may(Role.ADMIN):
        empty("API tokens are for admins. Ask one for the token that you need.")
        return
    await visit.live(_Tokens(visit).refresh, EVERY)
