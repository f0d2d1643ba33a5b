"""What waits for people, as counts in the navigation: alerts that fire, and acts that want a second person."""

from collections.abc import Mapping

from nicegui.element import Element

from console.pages.parts.basics import tag
from console.pages.visit import Visit

EVERY = 10.0  # seconds


class Waiting:
    """The counts of one opened page; `entries` are those of the navigation, by their addresses."""

    def __init__(self, visit: Visit, entries: Mapping[str, Element]) -> None:
        self._visit, self._entries = visit, entries
        self._seen: dict[str, int] = {}
        self._badges: dict[str, Element] = {}

    async def refresh(self) -> None:
        """Count, and show approvals where config asks for a second person, or did."""
        firing = (await self._visit.api.get("alerts", state="firing"))["firing"]
        self._count("/alerts", sum(one["acknowledged"] is None for one in firing), "firing, nobody knows", "bad")
        asked = await self._visit.api.get("approvals", state="asked")
        entry = self._entries["/approvals"]
        if (wanted := not (asked["second_person"] or asked["items"])) != entry.props.get("hidden", False):
            entry.props["hidden"] = wanted
            entry.update()
        self._count("/approvals", len(asked["items"]), "waiting", "warn")

    def _count(self, path: str, count: int, what: str, looks: str) -> None:
        if self._seen.get(path, 0) == count:
            return
        self._seen[path] = count
        if path in self._badges:
            self._badges.pop(path).delete()
        (anchor,) = self._entries[path]
        if count:
            with anchor, tag("span", f"{count:,}", f"side-count badge {looks}") as self._badges[path]:
                tag("span", f" {what}", "heard")  # Quasar hides `hidden` from all
