"""One opened page: who opened it, with which words in the address, and how it is kept live."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from nicegui import ui
from nicegui.element import Element

from console.access import Role
from console.pages.api import Api, Refusal, unasked
from console.pages.parts.basics import Moment, tag

EVERY = 2.0  # seconds between two looks of a page that is seen

Looks = Literal["positive", "negative", "info"]
Refresh = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Visit:
    """What a page is built with: the API as this person calls it, and the words of the address."""

    api: Api
    person: str
    role: Role
    path: Mapping[str, str]
    query: Mapping[str, str]
    here: str
    dark: bool
    trouble: Element
    told: Moment

    def may(self, role: Role) -> bool:
        """Tell whether the person has this role or a higher one."""
        return self.role >= role

    async def live(self, refresh: Refresh, every: float = EVERY, *, aside: bool = False) -> None:
        """Fill the page now and again while its tab is seen; what is refused is said on the page.

        At most one is under way at a time, so a slow answer makes the page slower and nothing else. A part that stands
        `aside` says nothing of itself.
        """
        await self._look(refresh, aside)
        timer = ui.timer(every, lambda: self._look(refresh, aside), immediate=False)

        def seen(is_seen: Any) -> None:
            timer.active = bool(is_seen.args)

        ui.on("seen", seen)

    async def act(self, doing: Awaitable[Any], done: str = "") -> Any:
        """Await a call of the API; say what it refuses and return None then, and when it waits for a second person."""
        try:
            answer = await doing
        except Refusal as refusal:
            if refusal.status == 401:
                self.leave()
            self.say(str(refusal), "negative")
            return None
        if isinstance(answer, dict) and "approval" in answer:
            self.say(f"Another person has to approve this: {answer['approval']['id']}, under Approvals.")
            return None
        if done:
            self.say(done, "positive")
        return answer

    async def tried(self, doing: Awaitable[Any]) -> str:
        """Await a call of the API; return why it was refused, nothing when it was not: for `ask`."""
        try:
            await doing
        except Refusal as refusal:
            if refusal.status == 401:
                self.leave()
            return str(refusal)
        return ""

    def say(self, text: str, looks: Looks = "info") -> None:
        """Tell the person something, also when the button that was pressed is not there any more."""
        with self.trouble:
            ui.notify(text, type=looks, position="top", timeout=6000, close_button="Close", classes="said")

    def reload(self) -> None:
        """Load the page again, to show what changed."""
        ui.navigate.reload()

    def leave(self) -> None:
        """Go to the sign-in page and come back after it."""
        ui.navigate.to(f"/login?next={quote(self.here)}")

    async def _look(self, refresh: Refresh, aside: bool) -> None:
        try:
            await self._shown(refresh, aside)
        except RuntimeError:  # what NiceGUI raises where the page was left while the API was asked
            if not self.trouble.is_deleted:
                raise

    async def _shown(self, refresh: Refresh, aside: bool) -> None:
        said = ""
        with unasked():
            try:
                await refresh()
            except Refusal as refusal:
                if refusal.status == 401:
                    self.leave()
                    return
                said = str(refusal)
        if not aside:
            self._say(said)
            if not said:
                self.told.set(int(time.time() * 1000))

    def _say(self, text: str) -> None:
        self.trouble.set_visibility(bool(text))
        self.trouble.clear()
        if text:
            with self.trouble:
                tag("strong", "This page could not be refreshed.")
                tag("span", text)
