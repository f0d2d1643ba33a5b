"""The frame of every page: header, search, navigation, ledger banner, landmarks."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from fastapi import Request
from nicegui import ui
from nicegui.client import Client
from nicegui.element import Element

from console.access import Role
from console.door import LOGIN
from console.pages.api import Api, Refusal
from console.pages.navigation import NAVIGATION, Entry
from console.pages.parts.basics import Moment, button, link, tag

STYLE = (Path(__file__).parent / "look.css").read_text()
LOOK = "crossdock-look"  # the cookie that keeps dark or light for a person
_HEAD = """<script>
document.documentElement.dataset.look = {look};
document.addEventListener("visibilitychange", () => window.did_handshake && emitEvent("seen", !document.hidden));
document.addEventListener("keydown", (pressed) => {{
  const at = pressed.target;
  if (pressed.key !== "/" || pressed.ctrlKey || pressed.metaKey || at.closest("input, textarea, select")) return;
  pressed.preventDefault();
  document.getElementById("search").focus();
}});
</script><style>{style}</style>"""
_TURN = f"""() => {{
  const look = document.documentElement.dataset.look === "dark" ? "light" : "dark";
  document.cookie = `{LOOK}=${{look}}; path=/; max-age=31536000; samesite=strict`;
  location.reload();
}}"""
_TIMES = '() => dispatchEvent(new Event("crossdock-times"))'
_MENU = """(pressed) => {
  const button = pressed.currentTarget, open = document.body.classList.toggle("menu-open");
  button.setAttribute("aria-expanded", open);
}"""


class Frame(NamedTuple):
    """What of the frame changes: where trouble is told, the time of the last refresh, the entries of the navigation."""

    trouble: Element
    told: Moment
    entries: Mapping[str, Element]


@contextmanager
def frame(client: Client, api: Api, title: str, request: Request, dark: bool) -> Iterator[Frame]:
    """Draw the frame; the page goes inside."""
    ui.page_title(f"{title} · Crossdock")
    ui.add_head_html(_HEAD.format(look='"dark"' if dark else '"light"', style=STYLE))
    ui.dark_mode(dark)
    client.content.props["id"] = client.content.html_id
    with client.layout:
        _skip(client.content).move(target_index=0)
        _header(api, request.state.person, request.state.role, dark).move(target_index=1)
        entries: dict[str, Element] = {}
        _navigation(request.url.path, request.state.role, entries).move(target_index=2)
    with client.content.classes(replace="page"):
        with tag("div", classes="page-head"):
            tag("h1", title)
            with tag("p", classes="quiet as-of"):
                told = Moment(int(time.time() * 1000), "As of ")
        trouble = tag("div", classes="banner bad", role="alert")
        trouble.set_visibility(False)
        yield Frame(trouble, told, entries)


def _skip(target: Element) -> Element:
    skip = tag("a", "Skip to the content", "skip", href=f"#{target.html_id}")
    skip.on(
        "click",
        js_handler="""(pressed) => {
      const main = document.querySelector(".page");
      pressed.preventDefault();
      main.setAttribute("tabindex", "-1");
      main.focus();
    }""",
    )
    return skip


def _header(api: Api, person: str, role: Role, dark: bool) -> Element:
    with tag("header", classes="top") as header:
        menu = tag("button", classes="icon-button menu", type="button", aria_label="Menu", aria_expanded="false")
        with menu.on("click", js_handler=_MENU):
            ui.icon("menu")
        link("Crossdock", "/", "brand")
        with tag("form", classes="search", role="search", method="get", action="/events"):
            tag(
                "input", classes="field", id="search", type="search", name="key", aria_label="Find an event",
                placeholder="Event id or business key   ( / )", autocomplete="off", spellcheck="false",
            )  # fmt: skip
        with tag("div", classes="top-end"):
            with _icon("Times: how long ago, or exactly when").on("click", js_handler=_TIMES):
                ui.icon("schedule")
            with _icon("Light colours" if dark else "Dark colours").on("click", js_handler=_TURN):
                ui.icon("light_mode" if dark else "dark_mode")
            with link("", "/account", "who"):
                tag("span", person, "who-name")
                tag("span", role.word, "who-role")
            button("Sign out", lambda: _leave(api), "small plain")
    return header


async def _leave(api: Api) -> None:
    with suppress(Refusal):  # it may be over already
        await api.send("DELETE", "session")
    ui.navigate.to(LOGIN)


def _icon(label: str) -> Element:
    return tag("button", classes="icon-button", type="button", aria_label=label, title=label)


def _navigation(here: str, role: Role, entries: dict[str, Element]) -> Element:
    with tag("nav", classes="side", aria_label="Pages") as navigation:
        for group in NAVIGATION:
            if all(entry.role > role for entry in group.entries):
                continue
            heading = tag("h2", group.name, "side-group")
            with tag("ul", aria_labelledby=heading.html_id):
                for entry in group.entries:
                    if entry.role <= role:
                        entries[entry.path] = _entry(entry, here)
    return navigation


def _entry(entry: Entry, here: str) -> Element:
    present = here == entry.path or (entry.path != "/" and here.startswith(f"{entry.path}/"))
    with tag("li") as place, link("", entry.path, "side-link") as made:
        if entry.hidden:
            place.props["hidden"] = True
        if present:
            made.props["aria-current"] = "page"
        ui.icon(entry.icon)
        tag("span", entry.name)
    return place
