"""An operator's day in a browser, from the sign-in over a failing target to the sign-out.

`simulators.picture` takes pictures on the way, tests/faults/test_operators_day.py looks at what the targets got.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from simulators.browser import LIVE, MARKS_LIVE, launched
from simulators.shopfloor import ROUTE, Floor

NAME, PASSWORD = "anna", "a long night in the warehouse"
WIDE, PHONE = {"width": 1200, "height": 800}, {"width": 390, "height": 844}
LASTS = 8  # seconds of the replay: slow enough to see it move, and to pause it
_EXPECTED = "the server responded with a status of 401"  # the browser's own line about who is not signed in
_WITHIN = 60_000.0  # milliseconds: a machine may be busy


@dataclass
class Operator:
    """A person at a browser; `errors` is what the pages complained about."""

    floor: Floor
    page: Page
    pictures: Path | None = None
    errors: list[str] = field(default_factory=list)
    letters: int = 0
    plan: str = ""

    def hear(self, said: ConsoleMessage) -> None:
        """Note what the browser complains about."""
        if said.type == "error" and _EXPECTED not in said.text:
            self.errors.append(said.text)

    async def sign_in(self, role: str = "operator") -> None:
        """Sign in by the keyboard alone, as a user that is made for it."""
        await self.floor.ops("POST", "/ops/v1/users", {"name": NAME, "role": role, "password": PASSWORD})
        page, keys = self.page, self.page.keyboard
        await page.goto(self.floor.ready.console)
        await expect(page.get_by_label("Name")).to_be_focused()
        await keys.type(NAME)
        await keys.press("Tab")
        await keys.type(PASSWORD)
        await keys.press("Enter")
        await expect(page.get_by_role("heading", name="Overview")).to_be_visible()

    async def see_the_failing_target(self) -> None:
        """See on the overview, without a reload, that dead letters grow in number; go to them."""
        page = self.page
        tile = page.get_by_role("link", name="open dead letters")
        await expect(tile).to_have_text(re.compile(r"[1-9]"))
        await expect(page.locator(".flow")).to_contain_text(re.compile(rf"{ROUTE}.*dead letter", re.DOTALL))
        if self.pictures:
            await page.wait_for_timeout(10_000)  # until rates and charts have something to show
            await self._picture("overview")
            await page.get_by_role("button", name="Dark colours").click()
            await page.wait_for_timeout(5_000)
            await self._picture("overview-dark")
            await page.get_by_role("button", name="Light colours").click()
        await tile.click()

    async def take_the_problem(self) -> None:
        """Open the group that the ERP refuses, read what it said, and acknowledge it."""
        page = self.page
        await page.get_by_role("link", name=re.compile(ROUTE)).click()
        await expect(page.get_by_role("region", name="Dead letters of this problem")).to_contain_text(
            "amount is missing"
        )
        await self._live()
        await page.get_by_role("button", name="Acknowledge").click()
        await expect(page.locator(".facts").first).to_contain_text("acknowledged")
        await self._picture("problem")

    async def plan_the_replay(self) -> None:
        """Make a plan of the whole group; nothing is sent by that."""
        page = self.page
        replay = page.get_by_role("button", name=re.compile("^Replay .* dead letters"))
        self.letters = int(re.sub(r"\D", "", await replay.inner_text()))
        await replay.click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Why").fill("the map left the amount out")
        await dialog.get_by_label("At most a second").fill(str(self.letters // LASTS + 1))
        await dialog.get_by_role("button", name="Make the plan").click()
        await page.wait_for_url("**/plans/rp-*")
        self.plan = page.url.rpartition("/")[2]

    async def try_dry(self) -> tuple[str, list[str]]:
        """Try the plan dry; return what the page says of it, and the places that it shows as changed."""
        page = self.page
        await self._live()
        await page.get_by_role("button", name="Dry run").click()
        trial = page.get_by_role("region", name="Dry run")
        await expect(trial).to_contain_text("Would pass")
        await self._picture("dry-run")
        return await trial.inner_text(), await trial.locator("table.compare tbody th").all_inner_texts()

    async def replay(self) -> list[int]:
        """Run the plan, pause it on the way and go on; return the progress that was seen."""
        page, bar = self.page, self.page.get_by_role("progressbar", name="Looked at")
        seen = [await self._value(bar)]
        await page.get_by_role("button", name="Run …").click()
        await page.get_by_role("button", name=f"Send {self.letters:,}").click()
        await expect(bar).not_to_have_js_property("value", 0)
        seen.append(await self._value(bar))
        await self._picture("replay")
        await page.get_by_role("button", name="Pause").click()
        await expect(page.locator(".facts").first).to_contain_text("paused")
        seen.append(await self._value(bar))
        await page.get_by_role("button", name="Go on …").click()
        await page.get_by_role("button", name=f"Send {self.letters - seen[-1]:,}").click()
        await expect(page.locator(".facts").first).to_contain_text("done")
        return [*seen, await self._value(bar)]

    async def see_the_ledger_even(self) -> None:
        """See that everything adds up, and that nothing of it stands above the page."""
        page = self.page
        await page.get_by_role("link", name="Ledger").click()
        await expect(page.get_by_text("The ledger is balanced.")).to_be_visible()
        await expect(page.get_by_role("alert").filter(visible=True)).to_have_count(0)

    async def find(self, key: str) -> str:
        """Find an event by a business key, by the keyboard alone; return what its journey shows as sent."""
        page, keys = self.page, self.page.keyboard
        await keys.press("/")
        await expect(page.get_by_role("searchbox", name="Find an event")).to_be_focused()
        await keys.type(key)
        await keys.press("Enter")
        sent = page.get_by_role("button", name="As sent").first
        listed = page.get_by_role("region", name="Events, table").get_by_role("link").first
        await expect(sent.or_(listed).first).to_be_visible()
        if await listed.is_visible():  # several events have the key; a single one is shown at once
            await listed.focus()
            await keys.press("Enter")
        await expect(sent).to_be_visible()
        await self._live()
        await self._picture("journey")
        await sent.focus()
        await keys.press("Enter")
        panel = page.get_by_role("dialog")
        await expect(panel.get_by_role("region", name="Content")).to_be_visible()
        text = await panel.get_by_role("region", name="Content").inner_text()
        await keys.press("Escape")
        await expect(panel).to_be_hidden()
        return text

    async def read_the_audit_log(self) -> list[list[str]]:
        """Return who did what, newest first, after the log has been verified."""
        page = self.page
        await page.get_by_role("link", name="Audit").click()
        await page.wait_for_url("**/audit")
        await self._live()
        await page.get_by_role("button", name="Verify the log").click()
        await expect(page.get_by_text("The log is whole")).to_be_visible()
        rows = await page.get_by_role("region", name="Audit, table").locator("tbody tr").all()
        return [[await cell.inner_text() for cell in (await row.locator("td, th").all())[2:5]] for row in rows]

    async def sign_out(self) -> None:
        """Sign out; no page opens any more."""
        page = self.page
        await self._live()
        await page.get_by_role("button", name="Sign out").click()
        await page.wait_for_url("**/login*")
        for path in ("/", "/problems", f"/plans/{self.plan}", "/audit"):
            await page.goto(self.floor.ready.console + path)
            await page.wait_for_url(re.compile(r"/login\?next="))

    async def _live(self) -> None:
        """Wait until the page hears what is pressed: its texts stand there a moment before."""
        await self.page.wait_for_selector(LIVE, state="attached")

    async def _picture(self, name: str) -> None:
        if self.pictures:
            await self.page.screenshot(path=self.pictures / f"{name}.png")

    async def look_on_a_phone(self) -> None:
        """Look at the problem on a phone."""
        await self.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        await self._picture("phone")
        await self.page.set_viewport_size(WIDE)  # type: ignore[arg-type]

    async def _value(self, bar: object) -> int:
        return int(await bar.evaluate("bar => bar.value"))  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Told:
    """What the operator saw: of the dry run the words, the places and the requests it made, the progress, the acts."""

    letters: int
    dry_run: str
    changes: list[str]
    tried: int
    progress: list[int]
    key: str
    as_sent: str
    acts: list[list[str]]


async def live(one: Operator) -> Told:
    """Live through the day."""
    floor = one.floor
    await one.sign_in()
    async with floor.trading():
        await one.see_the_failing_target()
    await one.take_the_problem()
    await floor.settled()
    await floor.mend()
    await one.plan_the_replay()
    asked = floor.targets["erp"].requests
    dry_run, changes = await one.try_dry()
    tried = floor.targets["erp"].requests - asked
    progress = await one.replay()
    await floor.settled()
    await one.see_the_ledger_even()
    key = _order_of(floor)
    as_sent = await one.find(key)
    acts = await one.read_the_audit_log()
    await one.look_on_a_phone()
    await one.sign_out()
    return Told(one.letters, dry_run, changes, tried, progress, key, as_sent, acts)


def _order_of(floor: Floor) -> str:
    """Return the number of the first purchase order that the supplier sent something of."""
    told: str = floor.sent["acme"][0]["data"]["shippedItems"][0]["itemDetails"]["purchaseOrderNumber"]
    return told


@asynccontextmanager
async def at_work(floor: Floor, pictures: Path | None = None) -> AsyncIterator[Operator]:
    """Open a browser for somebody who is not signed in yet."""
    async with async_playwright() as playwright:
        driven: Browser = await playwright.chromium.launch(**launched())
        try:
            context = await driven.new_context(viewport=WIDE, reduced_motion="reduce")  # type: ignore[arg-type]
            await context.add_init_script(MARKS_LIVE)
            context.set_default_timeout(_WITHIN)
            expect.set_options(timeout=_WITHIN)
            one = Operator(floor, await context.new_page(), pictures)
            one.page.on("pageerror", lambda error: one.errors.append(str(error)))
            one.page.on("console", one.hear)
            yield one
        finally:
            await driven.close()
