"""`/partners/{partner}`: the scorecard of one partner, its sources, its keys and what drifted."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from nicegui import ui

from console.pages.drift import FINDINGS, finding_row
from console.pages.keys import Keys
from console.pages.partners import choose_span, mood_of, span_of
from console.pages.parts import sheet
from console.pages.parts.basics import Tile, duration, number, section, tag, words
from console.pages.parts.sheet import Column, Row, Sheet
from console.pages.sources import COLUMNS as SOURCES
from console.pages.sources import source_row
from console.pages.visit import Visit

EVERY = 5.0  # seconds; the sums of days are asked for
LOST = (Column("Points", "number"), Column("Reason", "long"))
CODES = (Column("Code", "code"), Column("Refused", "number"))
COUNTS = (Column("What"), Column("Now", "number"), Column("Before", "number"), Column("Change", "number"))
COUNTED = {
    "sent": "Sent", "accepted": "Accepted", "refused": "Refused at the gateway", "unverified": "Not verified",
    "duplicates": "Sent again", "id_conflicts": "Id conflicts", "quarantined": "Quarantined",
    "refused_later": "Refused by the process step", "dead_letters": "Dead letters", "late": "More than 5 minutes late",
    "unordered": "Out of order", "looked_at": "Looked at for time and drift",
}  # fmt: skip


class _Partner:
    """The parts of one opened page."""

    def __init__(self, visit: Visit, partner: str, days: str) -> None:
        self._visit, self._path, self._days = visit, f"partners/{quote(partner, safe='')}", days
        with tag("div", classes="tiles"):
            self._tiles = {name: Tile(name) for name in ("Score", "Sent", "Refused", "Lag", "Drift", "Silent")}
        with section("Lost points"):
            self._lost = Sheet("Lost points", LOST, "Nothing was lost.")
        with section("Sources"):
            self._sources = Sheet("Sources", SOURCES, "It has no source.", file=f"sources-{partner}")
        self._keys = Keys(visit, partner, self.refresh)
        with section("Drift"):
            self._drift = Sheet("Drift", FINDINGS, "What it sends is as its schemas and its past say.", file="drift")
        with tag("div", classes="halves"):
            with section("Counts"):
                self._counts = Sheet("Counts", COUNTS, "Nothing was counted.", file="counts")
            with section("Refused by code"):
                self._codes = Sheet("Refused by code", CODES, "Nothing was refused at the gateway.", file="refused")

    async def refresh(self) -> None:
        seen = await self._visit.api.get(self._path, days=self._days)
        keys = (await self._visit.api.get("keys"))["items"]
        self._tell(seen)
        self._lost.fill(
            Row(one["rule"], [sheet.count(one["points"]), sheet.text(one["reason"])]) for one in seen["lost"]
        )
        codes = sorted(seen["refused_by_code"].items(), key=lambda pair: -pair[1])
        self._codes.fill(Row(code, [sheet.text(code), sheet.count(count)]) for code, count in codes)
        self._counts.fill(_count(seen, name) for name in COUNTED)
        self._sources.fill(map(source_row, seen["sources"]))
        self._keys.fill(keys, seen["sources"])
        self._drift.fill(map(finding_row, seen["drift"]))

    def _tell(self, seen: Mapping[str, Any]) -> None:
        tiles, before, lag = self._tiles, seen["before"], seen["lag"]
        score, past = seen["score"], before["score"]
        note = f"before that {past:g}" if past is not None else "nothing came before that"
        tiles["Score"].set("–" if score is None else f"{score:g}", note, mood_of(score))
        tiles["Sent"].set(number(seen["sent"]), f"before that {number(before['sent'])}")
        tiles["Refused"].set(number(seen["refused"]), _share(seen["refused"], seen["sent"]))
        shown = [f"{words(name)} {duration(lag[name] * 1000)}" for name in ("p50", "p95") if lag[name] is not None]
        tiles["Lag"].set(shown[0].removeprefix("p50 ") if shown else "–", shown[-1] if shown else "no times known")
        news = sum(not (one["early"] or one["refused"]) for one in seen["drift"])
        tiles["Drift"].set(number(news), f"open finding{'' if news == 1 else 's'}", "warn" if news else "")
        silent = seen["silent"]
        tiles["Silent"].set(number(len(silent)), ", ".join(silent) or "as usual", "bad" if silent else "")


def _loss(one: Mapping[str, Any]) -> Row:
    return Row(one["rule"], [{"text": f"{one['points']:g}", "sort": one["points"]}, sheet.text(one["reason"])])


def _count(seen: Mapping[str, Any], name: str) -> Row:
    change = seen["change"].get(name)
    shown = sheet.text("") if change is None else {"text": f"{change:+.1%}", "sort": change}
    return Row(name, [sheet.text(COUNTED[name]), sheet.count(seen[name]), sheet.count(seen["before"][name]), shown])


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%} of what was sent" if whole else ""


async def partner(visit: Visit) -> None:
    """Build the page."""
    name, days = visit.path["partner"], span_of(visit)
    ui.page_title(f"{name} · Crossdock")
    await visit.api.get(f"partners/{quote(name, safe='')}", days=days)  # says in words that there is none
    tag("p", name, "lead")
    action = f"/partners/{quote(name, safe='')}"
    with tag("form", classes="filters", method="get", action=action, aria_label="Which days"):
        choose_span(days)
    await visit.live(_Partner(visit, name, days).refresh, EVERY)
