"""Replay plans: a frozen selection and how far it was sent, kept where a kill cannot reach it."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Literal, NamedTuple

from crossdock.kernel import jsontext, records
from crossdock.kernel.problems import Unavailable
from dlq.ports import Records

PIECE = 1000  # items in one record, fewer where their ids are long
_FEWER = (500, 250, 125, 25, 5, 1)  # each divides the one before it
MOST_BYTES = 900 << 10  # of a record: a broker takes 1 MiB
_HEAD, _ITEMS = "plan", "items"
_INSIDE = ("mark", "runner", "version", "patch", "piece", "looked", "failing")

State = Literal["planned", "running", "paused", "cancelled", "done", "foreign"]
ENDED = frozenset({"cancelled", "done"})
FOREIGN: Final = "foreign"


class Item(NamedTuple):
    """One dead letter of the selection as it was then: under which sequence of DLQ it is, and how often it failed."""

    id: str
    event_id: str
    ref: int
    failures: int


class Past(NamedTuple):
    """One past event of the selection: its sequence in EVENTS, 0 for one that never came there, and the one in RAW."""

    seq: int
    raw: int


Items = Sequence[Item] | Sequence[Past]


@dataclass(frozen=True, slots=True)
class Plan:
    """A replay of `total` dead letters or past events, oldest first, at most `rate` a second.

    The first `done` were looked at. Of these `sent` were sent, `skipped` had changed since or were not wanted, `gone`
    are past their retention. `of` says what the items are, `to` and `routes` (none for all) where they go, and
    `from_stage` whether the process step makes them anew. `edit` names the edit that `patch` (JSON)
    makes of each.
    `piece` items stand in one record.
    `tried` is the revision by which it was tried dry last, when `failing` of the first `looked` failed.
    `mark` is the last sequence of each stream before what `done` does not count yet was sent. `runner` is the
    process that sends. `at`, `begun` and `ended` are Unix milliseconds, 0 for not yet; `version` is that
    of the record, 0 for none.
    A `foreign` plan says what only a later version of Crossdock knows, which alone goes on with it.
    """

    id: str
    who: str
    reason: str
    at: int
    total: int
    rate: int
    state: State = "planned"
    done: int = 0
    sent: int = 0
    skipped: int = 0
    gone: int = 0
    mark: dict[str, int] = field(default_factory=dict)
    runner: str = ""
    of: Literal["letters", "events"] = "letters"
    to: Literal["failed", "all"] = "failed"
    from_stage: Literal["canonical", "raw"] = "canonical"
    routes: list[str] = field(default_factory=list)
    asked: dict[str, Any] = field(default_factory=dict)
    edit: str = ""
    patch: str = ""
    tried: str = ""
    looked: int = 0
    failing: int = 0
    piece: int = PIECE
    begun: int = 0
    ended: int = 0
    version: int = field(default=0, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """Return what people and scripts are told; a patch may hold personal values, see `console.plans`."""
        return {name: value for name, value in asdict(self).items() if name not in _INSIDE}


class Plans:
    """The store of plans."""

    def __init__(self, store: Records) -> None:
        self._records = store

    async def make(self, items: Items, who: str, reason: str, rate: int, **more: Any) -> Plan:
        """Store a plan with its selection, and more of its fields; it is there whole or not at all.

        Raises:
            Unavailable: the store does not answer.
        """
        now = time.time_ns()
        size = await _fitting(items)
        plan = Plan(f"rp-{now:x}", who, reason, now // 1_000_000, len(items), rate, piece=size, **more)
        for first in range(0, len(items), size):
            await self._records.put(f"{_ITEMS}.{plan.id}.{first // size}", _written(items[first : first + size]), 0)
        stored = await self.put(plan)
        if stored is None:  # of two in the same nanosecond
            raise Unavailable("another plan has this id; try again")
        return stored

    async def put(self, plan: Plan) -> Plan | None:
        """Store it in the place of its version; None when another one is there.

        Raises:
            Unavailable: the store does not answer; it may be stored all the same.
        """
        document = {name: value for name, value in asdict(plan).items() if name != "version"}
        version = await self._records.put(f"{_HEAD}.{plan.id}", jsontext.dumps(document), plan.version)
        return None if version is None else replace(plan, version=version)

    async def get(self, plan_id: str) -> Plan | None:
        """Return a plan.

        Raises:
            Unavailable: the store does not answer, or nobody can read it.
        """
        found = await self._records.get(f"{_HEAD}.{plan_id}")
        return records.one(plan_id, found, _read) if found else None

    async def all(self) -> list[Plan]:
        """Return all plans that are kept, newest first.

        Raises:
            Unavailable: the store does not answer.
        """
        found = [plan for _, plan in records.each(await self._records.all(_HEAD), _read)]
        return sorted(found, key=lambda plan: plan.id, reverse=True)

    async def items(self, plan: Plan, after: int = 0) -> AsyncIterator[list[Item]]:
        """Yield the dead letters of the selection, in its order, after so many of it, a part at a time.

        It ends early where the selection is past its retention.

        Raises:
            Unavailable: the store does not answer.
        """
        async for part in self._parts(plan, after):
            yield [Item(*one) for one in part]

    async def events(self, plan: Plan, after: int = 0) -> AsyncIterator[list[Past]]:
        """Yield the past events of the selection, as `items` does.

        Raises:
            Unavailable: the store does not answer.
        """
        async for part in self._parts(plan, after):
            yield [Past(*one) for one in part]

    async def _parts(self, plan: Plan, after: int) -> AsyncIterator[list[list[Any]]]:
        while after < plan.total:
            number, first = divmod(after, plan.piece)
            found = await self._records.get(f"{_ITEMS}.{plan.id}.{number}")
            if found is None:
                return
            part = jsontext.own_loads(found[0])[first:]
            yield part
            after += len(part)

    async def turn(self, plan_id: str, state: State) -> Plan | None:
        """Bring a plan that has not ended into a state, whatever its runner writes meanwhile; return what there is.

        Raises:
            Unavailable: the store does not answer.
        """
        ended = time.time_ns() // 1_000_000 if state in ENDED else 0
        return await self.change(plan_id, state=state, ended=ended)

    async def change(self, plan_id: str, **fields: Any) -> Plan | None:
        """Give a plan that has not ended other values, whatever its runner writes meanwhile; return what there is.

        Raises:
            Unavailable: the store does not answer.
        """
        while (present := await self.get(plan_id)) is not None and present.state not in (*ENDED, FOREIGN):
            wanted = replace(present, **fields)
            if wanted == present:
                break
            if (stored := await self.put(wanted)) is not None:
                return stored
        return present


async def _fitting(items: Items) -> int:
    """Return how many items stand in each record: no item may make one too large for the broker."""
    size = PIECE
    for first in range(0, len(items), PIECE):
        block = items[first : first + PIECE]
        while size > 1 and any(len(_written(block[at : at + size])) > MOST_BYTES for at in range(0, len(block), size)):
            size = next(one for one in _FEWER if one < size)
        await asyncio.sleep(0)  # a selection may have millions
    return size


def _written(items: Items) -> bytes:
    return jsontext.dumps([list(item) for item in items])


def _read(stored: bytes, version: int) -> Plan:
    document = jsontext.own_loads(stored)
    plan = Plan(**records.known(Plan, document) | {"version": version})
    return replace(plan, state=FOREIGN) if records.unknown(Plan, document) else plan
