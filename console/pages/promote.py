"""A dead letter as a content test, to be copied, downloaded, or written by the command."""

import shlex
from typing import Any
from urllib.parse import quote

from nicegui import ui

from console.pages.parts.ask import Field, ask
from console.pages.parts.basics import button, facts, tag
from console.pages.parts.secret import COPY
from console.pages.visit import Visit

_HIDDEN = "Personal values become others of the same shape, unless you say why they are needed; that is audited."


async def promote(visit: Visit, shown: dict[str, Any]) -> None:
    """Ask what the test expects, and show it."""
    routes = tuple(one["route"] for one in (await visit.api.get("overview"))["routes"])
    fields = [
        Field("name", "What it is called", f"{shown.get('type', '')} that was dead letter {shown['id']}", most=200),
        Field("routes", "Routes that it must reach (none: what happens now is expected)", options=routes, many=True),
        Field("reveal", "Why personal values are needed"),
    ]
    given = await ask("Make a test", [_HIDDEN], fields, act="Make it")
    if given is None:
        return
    wish = {**given, "routes": given["routes"].split(",") if given["routes"] else None}
    path = f"dead-letters/{quote(shown['id'], safe='')}/promote"
    made = await visit.act(visit.api.send("POST", path, wish))
    if made is not None:
        _show(made, _command(shown["id"], given))


def _command(letter: str, given: dict[str, str]) -> str:
    words = ["crossdock", "dlq", "promote", letter, "--project", "."]
    for option in ("name", "reveal"):
        words += [f"--{option}", given[option]] if given[option] else []
    if given["routes"]:
        words += ["--expect", "routes " + " ".join(given["routes"].split(","))]
    return shlex.join(words)


def _show(made: dict[str, Any], command: str) -> None:
    with ui.context.client.content:
        dialog = ui.dialog().props("position=right full-height")
    with dialog, tag("div", classes="dialog panel", role="document"):
        heading = tag("h2", "The test")
        dialog.props["aria-labelledby"] = heading.html_id
        facts([("File", made["file"]), ("By the content in force", "passes" if made["passes"] else "fails")])
        for line in (*made["differences"], *made["notes"]):
            tag("p", line, "quiet")
        tag("pre", made["yaml"], "code-block copied", tabindex=0, role="region", aria_label="The test")
        tag("p", "Or write it into your project by the command, where a file that is there gets one test more:")
        tag("pre", command, "code-block", tabindex=0, role="region", aria_label="The command")
        with tag("div", classes="dialog-acts"):
            tag("button", "Copy", "button", type="button", aria_live="polite").on("click", js_handler=COPY)
            name = made["file"].rpartition("/")[2]
            button("Download", lambda: ui.download.content(made["yaml"], name))
            button("Close", dialog.close, "main")
    dialog.on("hide", dialog.delete)
    dialog.open()
