"""What stands above every page when something is wrong with the whole: the ledger, the content in force."""

from typing import Any

from nicegui.element import Element

from console.pages.parts.basics import Moment, link, plural, tag
from console.pages.visit import Visit

EVERY = 10.0  # seconds
SHOWN = 5  # problems of a change


class Notices:
    """The banners of one opened page."""

    def __init__(self, visit: Visit, place: Element) -> None:
        self._visit, self._place = visit, place
        self._seen: Any = None

    async def refresh(self) -> None:
        """Look at the ledger, the journal and the content."""
        ledger, content = await self._visit.api.get("ledger"), await self._visit.api.get("content")
        unreadable = (await self._visit.api.get("journal/unreadable", limit=0))["total"]
        seen = (
            len(ledger["unexplained"]),
            unreadable,
            content["revision"],
            content["rejected"],
            content["leaving"],
            _behind(content),
        )
        if seen == self._seen:
            return
        self._seen = seen
        self._place.clear()
        with self._place:
            _ledger(len(ledger["unexplained"]))
            _unreadable(unreadable)
            _content(content)


def _ledger(unexplained: int) -> None:
    if unexplained:
        with tag("div", classes="banner bad", role="alert"):
            tag("strong", f"The ledger is not balanced: {plural(unexplained, 'event')} unexplained.")
            link("Which ones", "/ledger")


def _unreadable(messages: int) -> None:
    if messages:
        with tag("div", classes="banner bad", role="alert"):
            tag("strong", f"{plural(messages, 'message')} of the journal could not be read and were stepped over.")
            tag("span", "crossdock journal unreadable", "mono")
            tag("span", "lists them;")
            tag("span", "crossdock journal dismiss", "mono")
            tag("span", "takes one off.")


def _behind(content: dict[str, Any]) -> dict[str, str]:
    """Return the processes that work by another revision than the one in force."""
    found = {name: one["revision"] for name, one in content["processes"].items()}
    return {name: revision for name, revision in found.items() if revision != content["revision"]}


def _content(content: dict[str, Any]) -> None:
    for name, revision in _behind(content).items():
        with tag("div", classes="banner warn", role="status"):
            tag("span", f"{name} works by revision {revision}, not by {content['revision']}.")
    for route, word in content["leaving"].items():
        left = "delivered" if word == "drain" else "given up"
        with tag("div", classes="banner", role="status"):
            tag("span", f"The route {route} was removed; what is left of it is {left}.")
    rejected = content["rejected"] or {}
    problems = rejected.get("problems", [])
    if problems:
        with tag("div", classes="banner bad", role="status"):
            tag("strong", "The last change of content was not put in force:")
            Moment(rejected["at"])
            for one in problems[:SHOWN]:
                tag("span", f"{one['file']}:{one['line']}:{one['column']}  {one['message']}", "mono banner-line")
            if len(problems) > SHOWN:
                tag("span", f"and {len(problems) - SHOWN} more", "quiet")
