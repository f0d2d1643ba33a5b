"""The side panel with what an event said; personal fields are masked until somebody says why they are needed."""

import json
from typing import Any

from nicegui import ui

from console.access import Role
from console.pages.parts.ask import Field, ask
from console.pages.parts.basics import badge, button, facts, tag
from console.pages.visit import Visit

FORMS = {"received": "As received", "canonical": "Canonical", "sent": "As sent"}
LONGEST = 200_000  # characters that are shown


async def show_content(visit: Visit, form: str, address: str) -> None:
    """Open the panel with the content at an address of the API."""
    told = await visit.act(visit.api.get(address.removeprefix("/ops/v1/")))
    if told is None:
        return
    with ui.context.client.content:
        dialog = ui.dialog().props("position=right full-height")
    with dialog, tag("div", classes="panel", role="document"):
        heading = tag("h2", FORMS[form])
        dialog.props["aria-labelledby"] = heading.html_id
        shown = tag("div")

        async def reveal() -> None:
            why = await ask(
                "Show personal fields", ["What you look at, and why, is kept in the audit log."],
                [Field("why", "Reason", required=True)], act="Show",
            )  # fmt: skip
            if why is None:
                return
            clear = await visit.act(visit.api.get(address.removeprefix("/ops/v1/"), reveal=why["why"]))
            if clear is not None:
                _fill(shown, clear)

        _fill(shown, told)
        with tag("div", classes="dialog-acts"):
            if told.get("masked") and visit.may(Role.OPERATOR):
                button("Show personal fields …", reveal)
            button("Close", dialog.close, "main")
    dialog.on("hide", dialog.delete)
    dialog.open()


def _fill(place: Any, told: dict[str, Any]) -> None:
    place.clear()
    with place:
        facts(
            [
                ("Id", told.get("id")), ("Type", told.get("type")), ("Source", told.get("source")),
                ("Schema", told.get("dataschema")), ("Route", told.get("route")), ("Connector", told.get("connector")),
                ("Revision", told.get("revision")),
            ]
        )  # fmt: skip
        if "route" in told:
            tag("p", "Made again from what is stored. Whether an attempt reached its target, its step tells.", "note")
        if told.get("as_it_was") is False:
            tag(
                "p",
                "Made by the content in force, which is not that which sent it: it may have been different.",
                "note warn",
            )
        if told.get("masked"):
            badge("personal fields are masked", "warn")
        document(told.get("data"))


def document(data: Any, label: str = "Content") -> None:
    """Show a document as text, with every number as it is: a browser would round integers beyond 2^53."""
    text = data if isinstance(data, str) else json.dumps(data, indent=2, ensure_ascii=False)
    cut = text if len(text) <= LONGEST else f"{text[:LONGEST]}\n… {len(text) - LONGEST:,} more characters"
    tag("pre", cut, "code-block", tabindex=0, role="region", aria_label=label)
