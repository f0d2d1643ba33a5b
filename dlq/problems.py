"""Problems: dead letters of one cause, and what people say of it: its state, owner, due time and notes.

The dead letters are counted by the journal, which can be built again; what people say stands in a store of its own.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from crossdock.kernel import jsontext, records
from crossdock.kernel.problems import Unavailable
from dlq.ports import Records

OPEN, ACKNOWLEDGED, RESOLVED, IGNORED = "open", "acknowledged", "resolved", "ignored"
STATES = (OPEN, ACKNOWLEDGED, RESOLVED, IGNORED)
MOST_NOTES = 200


@dataclass(frozen=True, slots=True)
class Note:
    """What a person wrote, and when, in Unix milliseconds."""

    at: int
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """What people say of a problem; `at` is when its state was set, `due` when it must be solved (0 for never)."""

    state: str = OPEN
    at: int = 0
    owner: str = ""
    due: int = 0
    notes: tuple[Note, ...] = ()
    version: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Change:
    """What a person changes of a mark; None leaves it as it is."""

    state: str | None = None
    owner: str | None = None
    due: int | None = None
    note: str | None = None


class Marks:
    """The marks of all problems."""

    def __init__(self, store: Records) -> None:
        self._records = store

    async def all(self) -> dict[str, Mark]:
        """Return them by the id of the problem.

        Raises:
            Unavailable: the store does not answer.
        """
        return dict(records.each(await self._records.all(), _read))

    async def change(self, problem: str, change: Change, who: str) -> Mark:
        """Change one, on top of what others changed at the same moment; the last 200 notes are kept.

        Raises:
            Unavailable: the store does not answer, or a later version of Crossdock says more of it.
        """
        while True:
            found = await self._records.get(problem)
            present = records.one(problem, found, _read) if found else Mark()
            if found and _is_foreign(found[0]):
                raise Unavailable(f"a later version of Crossdock has written of {problem}: only that can change it")
            changed = _changed(present, change, who, int(time.time() * 1000))
            document = {name: value for name, value in asdict(changed).items() if name != "version"}
            version = await self._records.put(problem, jsontext.dumps(document), present.version)
            if version is not None:
                return replace(changed, version=version)


def state_of(mark: Mark, failed: int) -> tuple[str, bool]:
    """Return the state of a problem, and whether it came back: a dead letter failed after it was resolved.

    `failed` is when the last of its open dead letters failed, in Unix milliseconds, 0 for none.
    """
    if mark.state == RESOLVED and failed > mark.at:
        return OPEN, True
    return mark.state, False


def _changed(mark: Mark, change: Change, who: str, now: int) -> Mark:
    kept = {name: value for name in ("owner", "due") if (value := getattr(change, name)) is not None}
    if change.state is not None:
        kept |= {"state": change.state, "at": now}
    if change.note:
        kept["notes"] = (*mark.notes, Note(now, who, change.note))[-MOST_NOTES:]
    return replace(mark, **kept)


def _is_foreign(stored: bytes) -> bool:
    document: Mapping[str, Any] = jsontext.own_loads(stored)
    return bool(records.unknown(Mark, document)) or any(records.unknown(Note, one) for one in document["notes"])


def _read(stored: bytes, version: int) -> Mark:
    document: Mapping[str, Any] = jsontext.own_loads(stored)
    notes = tuple(Note(**records.known(Note, note)) for note in document["notes"])
    return Mark(**records.known(Mark, document) | {"notes": notes, "version": version})
