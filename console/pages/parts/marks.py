"""What people say of a problem or of drift: its state, who looks after it until when, and notes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from console.pages.parts.ask import Field, ask
from console.pages.parts.basics import Moment, button, empty, tag
from console.pages.visit import Refresh, Visit

CHANGES = {"Acknowledge": "acknowledged", "Resolve": "resolved", "Ignore": "ignored", "Open again": "open"}


class Marking:
    """The buttons that change what is said of the thing at a path of the API; `noun` is what it is called."""

    def __init__(self, visit: Visit, path: str, noun: str, refresh: Refresh) -> None:
        self._visit, self._path, self._noun, self._refresh = visit, path, noun, refresh

    def buttons(self, seen: Mapping[str, Any], changes: Mapping[str, str] = CHANGES) -> None:
        """Draw them for a thing as the API shows it; a change to its present state is not offered."""
        for text, state in changes.items():
            if state != seen["state"]:
                button(text, partial(self._change, {"state": state}, f"The {self._noun} is {state}."))
        button("Owner and due time …", partial(self._assign, seen))
        button("Add a note …", self._note)

    async def _change(self, said: dict[str, Any], done: str) -> None:
        if await self._visit.act(self._visit.api.send("PATCH", self._path, said), done) is not None:
            await self._visit.act(self._refresh())

    async def _assign(self, seen: Mapping[str, Any]) -> None:
        due = seen["due"]
        shown = datetime.fromtimestamp(due / 1000, UTC).strftime("%Y-%m-%dT%H:%M") if due else ""
        fields = [
            Field("owner", "Owner", seen["owner"], most=100),
            Field("due", "Due (UTC)", shown, kind="datetime-local"),
        ]
        if (given := await ask("Owner and due time", (), fields, act="Save")) is None:
            return
        at = int(datetime.fromisoformat(given["due"]).replace(tzinfo=UTC).timestamp() * 1000) if given["due"] else 0
        await self._change({"owner": given["owner"], "due": at}, "Saved.")

    async def _note(self) -> None:
        field = Field("note", "Note", required=True, wide=True, most=2000)
        if (given := await ask("Add a note", (), [field], act="Add")) is not None:
            await self._change({"note": given["note"]}, "Added.")


def tell_notes(seen: Mapping[str, Any]) -> None:
    """Show what people wrote."""
    if not seen["notes"]:
        empty("Nobody wrote anything yet.")
    for note in seen["notes"]:
        with tag("article", classes="note"):
            with tag("p", classes="quiet"):
                tag("span", f"{note['who']} · ")
                Moment(note["at"])
            tag("p", note["text"])
