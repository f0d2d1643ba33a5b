"""What came of a replay plan by now, by target and by item, as the journal tells it."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from console.desk import Desk
from dlq.plans import Item, Past, Plan
from journal import entry
from journal.entry import Entry
from journal.store import DISCARDED, OPEN, REPLAYING, RESOLVED, JournalStore, LetterState

DELIVERED, ROUTED, FAILED_AGAIN, UNDER_WAY, STILL_OPEN, GIVEN_UP, UNWANTED = (
    "delivered", "routed", "failed_again", "under_way", "still_open", "discarded", "unwanted",
)  # fmt: skip
_SETTLED = {DELIVERED, ROUTED, GIVEN_UP, UNWANTED}
AT_ONCE = 50  # pieces of a selection that one request looks at, beside those that are settled
KEPT = 4000  # settled pieces whose sums are kept in mind

Sums = Counter[tuple[str, str]]  # of target and outcome


class Became(NamedTuple):
    """What became of one item at one target: a route, or the source of an event that has none yet."""

    place: int
    id: str
    event_id: str
    target: str
    outcome: str
    reason: str = ""
    detail: str = ""


class Outcomes:
    """Looks up what came of plans; what is settled is looked up once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._settled: OrderedDict[tuple[str, int], Sums] = OrderedDict()

    async def report(self, plan: Plan) -> dict[str, Any]:
        """Return sums by target; `counted` says of how many items, which a long plan has more of than one look tells.

        Raises:
            Unavailable: the store or the journal does not answer.
        """
        sums, counted, looked = Sums(), 0, 0
        for first in range(0, plan.done, plan.piece):
            place, size = (plan.id, first // plan.piece), min(plan.piece, plan.done - first)
            known = self._settled.get(place)
            if known is None:
                looked += 1
                became = await self._piece(plan, first)
                known = Sums((one.target, one.outcome) for one in became)
                # One that nothing is known of may just not have come to the journal yet.
                whole = len({one.place for one in became}) == min(plan.piece, plan.total - first)
                if whole and _all_told(plan) and {outcome for _, outcome in known} <= _SETTLED:
                    self._keep(place, known)
            sums += known
            counted += size
            if looked >= AT_ONCE:
                break
        return {"counted": counted, "targets": _by_target(sums)}

    async def page(self, plan: Plan, outcome: str, after: int, limit: int) -> tuple[list[Became], int]:
        """Return items with an outcome from a place on, and the place of the next page, 0 for none.

        Raises:
            Unavailable: the store or the journal does not answer.
        """
        found: list[Became] = []
        for first in range(after - after % plan.piece, plan.done, plan.piece)[:AT_ONCE]:
            for one in await self._piece(plan, first):
                if one.place >= after and one.outcome == outcome:
                    if len(found) >= limit and one.place != found[-1].place:
                        return found, one.place
                    found.append(one)
        further = after - after % plan.piece + AT_ONCE * plan.piece
        return found, further if further < plan.done else 0

    async def _piece(self, plan: Plan, first: int) -> list[Became]:
        """Return what became of the items of one piece that were looked at."""
        stored = self._desk.replayer.plans
        parts: AsyncIterator[Any] = (stored.items if plan.of == "letters" else stored.events)(plan, first)
        tell: Any = _of_letters if plan.of == "letters" else _of_events
        async for part in parts:
            return list(await asyncio.to_thread(tell, self._desk.journal, plan, part[: plan.done - first], first))
        return []

    def _keep(self, place: tuple[str, int], sums: Sums) -> None:
        self._settled[place] = sums
        if len(self._settled) > KEPT:
            self._settled.popitem(last=False)


def _all_told(plan: Plan) -> bool:
    """Tell whether each outcome is the last: what goes from the raw event on goes to routes that nobody names."""
    return plan.of == "letters" or plan.from_stage != "raw"


def _by_target(sums: Sums) -> list[dict[str, Any]]:
    names = sorted({target for target, _ in sums})
    return [{"target": name, **{what: n for (one, what), n in sorted(sums.items()) if one == name}} for name in names]


def _of_letters(journal: JournalStore, _: Plan, items: Sequence[Item], first: int) -> list[Became]:
    known = journal.known([item.id for item in items])
    return [
        Became(place, item.id, item.event_id, state.route or state.source, word, state.reason, state.detail)
        for place, item in enumerate(items, first)
        if (state := known.get(item.id)) and (word := _word(item, state))
    ]


def _word(item: Item, state: LetterState) -> str:
    if state.state == OPEN:
        return FAILED_AGAIN if state.failures > item.failures else STILL_OPEN
    through = DELIVERED if state.route else ROUTED
    return {REPLAYING: UNDER_WAY, RESOLVED: through, DISCARDED: GIVEN_UP}[state.state]


def _of_events(journal: JournalStore, plan: Plan, items: Sequence[Past], first: int) -> list[Became]:
    steps = sorted((one for one in journal.steps([item.raw for item in items])), key=lambda line: line.raw)
    lines = {raw: list(found) for raw, found in groupby(steps, key=lambda line: line.raw)}
    return [
        Became(place, line.dead_letter, line.id, target, word, line.reason, line.detail)
        for place, item in enumerate(items, first)
        for target, (word, line) in _last(plan, lines.get(item.raw, ())).items()
    ]


_WORDS: Mapping[str, str] = {
    entry.DELIVERED: DELIVERED, entry.ROUTED: ROUTED, entry.DEAD_LETTERED: FAILED_AGAIN,
    entry.QUARANTINED: FAILED_AGAIN, entry.SKIPPED: UNWANTED, entry.DISCARDED: GIVEN_UP, entry.REPLAYED: UNDER_WAY,
}  # fmt: skip


def _last(plan: Plan, lines: Sequence[Entry]) -> dict[str, tuple[str, Entry]]:
    """Return the last word at each target that an event was sent to since the plan began."""
    since = [line for line in lines if line.at >= plan.begun and line.outcome in _WORDS]
    sent = {line.route for line in since if line.outcome == entry.REPLAYED}
    return {
        line.route or line.source: (_WORDS[line.outcome], line) for line in since if line.route in sent or ("" in sent)
    }
