"""The API keys of a partner: who may send what until when; made, rolled and revoked by admins."""

from functools import partial
from typing import Any
from urllib.parse import quote

from console.access import Role
from console.pages.api import Refusal
from console.pages.parts import sheet
from console.pages.parts.ask import Field, ask
from console.pages.parts.basics import button, section, tag
from console.pages.parts.secret import show_secret
from console.pages.parts.sheet import Cell, Column, Row, Sheet
from console.pages.visit import Refresh, Visit

COLUMNS = (
    Column("Key", "code"), Column("State", "state"), Column("Sources"), Column("Types"), Column("Asks for status"),
    Column("Rate"), Column("Last used", "time"), Column("Expires", "time"), Column("Made", "time"), Column("Note"),
)  # fmt: skip
_ONCE = "It is shown this once: only its digest is kept. Give it to the partner by a safe way."


class Keys:
    """The table of one partner, and what is done with its rows."""

    def __init__(self, visit: Visit, partner: str, refresh: Refresh) -> None:
        self._visit, self._partner, self._refresh = visit, partner, refresh
        self._sources: list[dict[str, Any]] = []
        with section("Keys"):
            if visit.may(Role.ADMIN):
                with tag("div", classes="acts-row"):
                    button("Make a key …", self._make)
            self._table = Sheet("Keys", COLUMNS, "No keys. Nobody can send by one.", file="keys", act=self._act)

    def fill(self, keys: list[dict[str, Any]], sources: list[dict[str, Any]]) -> None:
        """Show keys of the partner, and offer those of its sources that take keys."""
        self._sources = [one for one in sources if one["verify"] == "api_key"]
        may = self._visit.may(Role.ADMIN)
        self._table.fill(_row(one, may) for one in keys if one["partner"] == self._partner)

    async def _make(self) -> None:
        names = tuple(one["source"] for one in self._sources)
        if not names:
            self._visit.say(f"No source of {self._partner} takes API keys.")
            return
        types = dict.fromkeys(kind["type"] for one in self._sources for kind in one["types"])
        fields = [
            Field("sources", "Sources (none: all of them)", options=names, many=True),
            Field("types", "Types (none: all of them)", options=tuple(types), many=True),
            Field("expires", "Expires: 90d, or a day such as 2031-12-31; empty for never", "90d", most=40),
            Field("rate", "Its own limit, such as 50/s; empty for none", most=20),
            Field("status", "May ask what became of events", "yes", options=("yes", "no")),
            Field("note", "Note", most=200),
        ]
        made: dict[str, Any] = {}
        attempt = partial(self._send, made)
        if await ask(f"Make a key for {self._partner}", (), fields, act="Make it", attempt=attempt) is not None:
            await show_secret(f"Key {made['id']} of {self._partner}", made["key"], [_ONCE])
            await self._visit.act(self._refresh())

    async def _send(self, made: dict[str, Any], given: dict[str, str]) -> str:
        lists = {name: [one for one in given[name].split(",") if one] for name in ("sources", "types")}
        wanted = {**given, **lists, "partner": self._partner, "status": given["status"] == "yes"}
        try:
            made.update(await self._visit.api.send("POST", "keys", wanted))
        except Refusal as refusal:
            return str(refusal)
        return ""

    async def _act(self, act: str, key: str) -> None:
        await (self._roll(key) if act == "Roll" else self._revoke(key))
        await self._visit.act(self._refresh())

    async def _roll(self, key: str) -> None:
        lines = ["A new key with the same scopes is made; the old one works beside it until the overlap is over."]
        fields = [Field("overlap", "Overlap, such as 24h", "24h", required=True, most=20)]
        made: dict[str, Any] = {}

        async def attempt(given: dict[str, str]) -> str:
            try:
                made.update(await self._visit.api.send("POST", f"{_path(key)}/roll", given))
            except Refusal as refusal:
                return str(refusal)
            return ""

        if await ask(f"Roll key {key}", lines, fields, act="Roll it", attempt=attempt) is not None:
            await show_secret(f"Key {made['id']} of {self._partner}", made["key"], [_ONCE])

    async def _revoke(self, key: str) -> None:
        lines = ["Whoever sends by it is refused within a second. This cannot be taken back."]
        if await ask(f"Revoke key {key}", lines, act="Revoke it", danger=True) is not None:
            await self._visit.act(self._visit.api.send("DELETE", _path(key)), f"Key {key} is revoked.")


def _path(key: str) -> str:
    return f"keys/{quote(key, safe='')}"


def _row(one: dict[str, Any], may: bool) -> Row:
    ending = one["expired"] or one["rolled_to"]
    acts = (*(() if ending else ("Roll",)), "Revoke") if may else ()
    return Row(
        one["id"],
        [
            sheet.text(one["id"]), _state(one), sheet.text(", ".join(one["sources"]) or "all"),
            sheet.text(", ".join(one["types"]) or "all"), sheet.text("yes" if one["status"] else "no"),
            sheet.text(f"{one['rate']}/s" if one["rate"] else ""), _used(one["last_used"]),
            sheet.when(one["expires"]) if one["expires"] else sheet.text("never"), sheet.when(one["created"]),
            sheet.text(one["note"]),
        ],
        acts, one["id"],
    )  # fmt: skip


def _state(one: dict[str, Any]) -> Cell:
    if one["expired"]:
        return sheet.state("expired", "warn")
    return sheet.state(f"rolled to {one['rolled_to']}", "warn") if one["rolled_to"] else sheet.state("works", "good")


def _used(at: int | None) -> Cell:
    return sheet.text("not known") if at is None else sheet.when(at) if at else sheet.text("never")
