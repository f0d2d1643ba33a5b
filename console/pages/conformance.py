"""`/conformance`: rules of what must have happened before or after what, how often they broke, and each case."""

import time
from typing import Any
from urllib.parse import urlencode

from console.pages.parts import sheet
from console.pages.parts.basics import choice, fieldset, link, plural, section, tag, words
from console.pages.parts.chart import Chart
from console.pages.parts.events import journey
from console.pages.parts.sheet import Column, Row, Sheet
from console.pages.visit import Visit

EVERY = 30.0  # seconds
DAY = 86_400_000  # milliseconds
PAGE = 100
STATES = ("open", "late", "wrong_order")
ASKED = ("rule", "state", "from", "to", "after")
RULES = (
    Column("Rule"), Column("First"), Column("Then"), Column("Within"),
    *(Column(words(state).capitalize(), "number") for state in STATES), Column("Description", "long"),
)  # fmt: skip
CASES = (
    Column("Since", "time"), Column("Key", "code"), Column("State", "state"), Column("Rule"), Column("Partner"),
    Column("Store"), Column("First seen", "time"), Column("Then seen", "time"), Column("Closed", "time"),
)  # fmt: skip


class _Conformance:
    """The parts of one opened page."""

    def __init__(self, visit: Visit, asked: dict[str, str]) -> None:
        self._visit, self._asked = visit, asked
        self._said = tag("p", "", "quiet", role="status")
        self._chart = Chart("Deviations a day", "", visit.dark, bars=True)
        with section("Rules"):
            nothing = "No rules. An architect writes them in journal/*.yaml."
            self._rules = Sheet("Rules", RULES, nothing, file="rules")
        with section("Deviations"):
            self._cases = Sheet("Deviations", CASES, _nothing(asked), file="deviations")
            self._pages = tag("p", classes="pages")
        self._next: int | None = -1

    async def refresh(self) -> None:
        """Fill chart and tables."""
        found = await self._visit.api.get("conformance", **self._asked, limit=PAGE)
        missing = sum(rule["open"] for rule in found["rules"])
        still = "" if found["complete"] else " The journal is still being looked through; there may be more."
        self._said.text = f"{plural(missing, 'event')} still missing.{still}"
        bars = _by_day(found["by_day"])
        days = [day for points in bars.values() for day, _ in points] or [int(time.time() * 1000)]
        self._chart.fill(bars, min(days) - DAY // 2, max(days) + DAY // 2)
        self._rules.fill(self._rule(one) for one in found["rules"])
        self._cases.fill((_case(one) for one in found["items"]), "on this page" if found["next"] else "")
        if found["next"] != self._next:
            self._next = found["next"]
            self._turn()

    def _rule(self, one: dict[str, Any]) -> Row:
        return Row(
            one["rule"],
            [
                sheet.text(one["rule"], _address({**self._asked, "rule": one["rule"], "after": ""})),
                sheet.text(one["first"]), sheet.text(one["then"]), sheet.text(one["within"]),
                *(sheet.count(one[state]) for state in STATES), sheet.text(one["description"]),
            ],
        )  # fmt: skip

    def _turn(self) -> None:
        self._pages.clear()
        with self._pages:
            if self._asked["after"]:
                link("Newest", _address({**self._asked, "after": ""}))
            if self._next:
                link("Older", _address({**self._asked, "after": str(self._next)}))


def _by_day(counts: list[dict[str, Any]]) -> dict[str, list[tuple[int, float | None]]]:
    """Return a bar for each rule and day."""
    days, rules = sorted({one["day"] for one in counts}), sorted({one["rule"] for one in counts})
    sums: dict[tuple[str, int], int] = {}
    for one in counts:
        place = one["rule"], one["day"]
        sums[place] = sums.get(place, 0) + one["count"]
    return {rule: [(day, sums.get((rule, day), 0)) for day in days] for rule in rules}


def _case(one: dict[str, Any]) -> Row:
    first, then = one["first"] or {}, one["then"] or {}
    return Row(
        f"{one['rule']} {one['key']}",
        [
            sheet.when(one["since"]), sheet.text(one["key"], journey(one["key"])), sheet.state(one["state"]),
            sheet.text(one["rule"]), sheet.text(one["partner"]), sheet.text(one["store"]),
            sheet.when(first.get("at")), sheet.when(then.get("at")), sheet.when(one["closed"]),
        ],
    )  # fmt: skip


def _nothing(asked: dict[str, str]) -> str:
    return "No deviation fits." if any(asked.values()) else "No deviations. All that must happen has happened in time."


def _address(asked: dict[str, str]) -> str:
    return f"/conformance?{urlencode({name: value for name, value in asked.items() if value})}"


def _form(asked: dict[str, str]) -> None:
    with tag("form", classes="filters", method="get", action="/conformance", aria_label="Which deviations"):
        tag("input", type="hidden", name="rule", value=asked["rule"])
        choice("State", "state", asked["state"], [("", "any"), *((one, words(one)) for one in STATES)])
        fieldset("From (UTC)", "from", asked["from"], type="datetime-local")
        fieldset("To (UTC)", "to", asked["to"], type="datetime-local")
        with tag("div", classes="filters-acts"):
            tag("button", "Show", "button main", type="submit")
            link("Processes", "/processes", "button plain")
    if asked["rule"]:
        with tag("p", classes="acts-row"):
            tag("span", f"Only {asked['rule']}", "badge")
            link("All rules", _address({**asked, "rule": "", "after": ""}))


async def conformance(visit: Visit) -> None:
    """Build the page."""
    asked = {name: visit.query.get(name, "").strip() for name in ASKED}
    _form(asked)
    await visit.live(_Conformance(visit, asked).refresh, EVERY)
