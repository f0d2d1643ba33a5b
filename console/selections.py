"""What a replay plan selects: dead letters, or past events by key, partner, source, route, type and time."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import NamedTuple

from fastapi import HTTPException
from pydantic import BaseModel, ConfigDict, Field

from console.desk import Desk
from console.events import Sought, Word, milliseconds
from console.replays import known_route, selected, sendable
from crossdock.pipeline.choose import choose
from crossdock.pipeline.recorder import now_ms
from dlq.plans import Items, Past
from journal import entry
from journal.search import MOST as PAGE
from journal.search import Search
from journal.store import JournalStore, LetterState, Origin

MOST_LETTERS = 100_000
MOST_EVENTS = 1_000_000


class Events(Sought):
    """Past events, whatever became of them."""

    type: Word = ""


class Letters(BaseModel):
    """Dead letters: by id, or the open ones of a route, reason or problem."""

    model_config = ConfigDict(extra="forbid")
    ids: list[str] = Field(default=[], max_length=MOST_LETTERS)
    route: str = Field(default="", max_length=200)
    reason: str = Field(default="", max_length=200)
    problem: str = Field(default="", max_length=40)


class Chosen(NamedTuple):
    """A selection in the order of the streams, and how much of it is past its retention."""

    items: Items
    gone: int


@dataclass
class _Found:
    """The events of a search by their sequence in RAW, each with that in EVENTS, and their dead letters."""

    past: dict[int, int] = field(default_factory=dict)
    letters: set[str] = field(default_factory=set)


async def letters_of(desk: Desk, wanted: Letters, routes: Sequence[str], *, to_all: bool) -> Chosen:
    """Return dead letters, or for `to_all` their events; 404 and 422 as `selected` does."""
    asked = wanted.model_dump()
    states = await selected(desk, **asked, limit=MOST_LETTERS + 1)
    if not states and wanted.problem and not await asyncio.to_thread(_is_known, desk.journal, wanted.problem):
        raise HTTPException(404, f"no problem {wanted.problem}")
    return await _chosen(desk, states, routes, to_all=to_all)


async def failed_of(desk: Desk, wanted: Events, routes: Sequence[str]) -> Chosen:
    """Return the dead letters of past events that can be sent."""
    found = await asyncio.to_thread(_search, desk.journal, _asked(desk, wanted), wanted.type)
    states = await asyncio.to_thread(desk.journal.known, sorted(found.letters))
    return await _chosen(desk, sendable(states.values()), routes, to_all=False)


async def past_of(desk: Desk, wanted: Events) -> Chosen:
    """Return past events, those that never got through the process step too."""
    found = await asyncio.to_thread(_search, desk.journal, _asked(desk, wanted), wanted.type)
    return Chosen(await asyncio.to_thread(_in_order, found), 0)


async def _chosen(desk: Desk, states: Sequence[LetterState], routes: Sequence[str], *, to_all: bool) -> Chosen:
    fitting = [state for state in states if to_all or not routes or state.route in routes]
    if len(fitting) > MOST_LETTERS:
        raise HTTPException(422, f"more than {MOST_LETTERS} dead letters; make several plans")
    chosen, gone = await choose(fitting, desk.letters)
    if to_all:
        return Chosen(sorted({one.past for one in chosen}), gone)
    return Chosen([one.item for one in chosen], gone)


def _is_known(journal: JournalStore, problem: str) -> bool:
    return bool(journal.letters(problem=problem, limit=1))


def _in_order(found: _Found) -> list[Past]:
    return sorted(Past(seq, raw) for raw, seq in found.past.items())


def _asked(desk: Desk, wanted: Events) -> Search:
    if wanted == Events():
        raise HTTPException(422, 'events: say which, with a key, partner, source, route, type, "from" or "to"')
    known_route(desk, wanted.route)
    named = wanted.model_dump(exclude={"since", "to", "type"})
    until = milliseconds("to", wanted.to) or now_ms()
    return Search(**named, since=milliseconds("from", wanted.since), until=until, limit=PAGE)


def _search(journal: JournalStore, wanted: Search, type_: str) -> _Found:
    """Page through a search to its end; 422 for too much."""
    found = _Found()
    for raws in _pages(journal, wanted):
        lines = sorted(journal.origins([raw for raw in raws if raw not in found.past]))
        for raw, steps in groupby(lines, key=lambda line: line.raw):
            _add(found, raw, list(steps), type_)
        if len(found.past) > MOST_EVENTS:
            raise HTTPException(422, f"more than {MOST_EVENTS} events; make several plans")
    return found


def _pages(journal: JournalStore, wanted: Search) -> Iterator[list[int]]:
    while True:
        page = journal.search(wanted)
        yield [line.raw for line in page.items if line.raw]
        if not page.next:
            return
        wanted = replace(wanted, after=page.next)


def _add(found: _Found, raw: int, steps: Sequence[Origin], type_: str) -> None:
    """Take an event that went through, or that was given up before; what is under way and repeats are neither."""
    if type_ and not any(line.type == type_ for line in steps):
        return
    letters = {line.dead_letter for line in steps if line.outcome in entry.LETTERED}
    routed = [line.seq for line in steps if line.outcome == entry.ROUTED]
    if routed or letters:
        found.past[raw] = min(routed, default=0)
        found.letters |= letters
