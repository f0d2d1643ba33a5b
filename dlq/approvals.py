"""Acts that a second person must allow: asked for, kept where a kill cannot reach them, and decided once."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from crossdock.kernel import jsontext, records
from crossdock.kernel.problems import Unavailable
from dlq.ports import Records

EXPIRES = 3 * 86_400_000  # milliseconds after which nobody may approve any more

Act = Literal["edit", "discard", "plan"]
State = Literal["asked", "approved", "refused", "done", "failed", "expired", "foreign"]
_OPEN = frozenset({"asked", "approved"})  # approved and not done: it is being done, or who did it was killed


@dataclass(frozen=True, slots=True)
class Approval:
    """An act that `who` asked for: on so many dead letters, with what it takes to do it in `wanted`.

    `shown` is that for people, without personal values. `by` decided it `then`, with the words `said`; `outcome` is
    what came of it. Times are Unix milliseconds; `version` is that of the record. A `foreign` one says what only a
    later version of Crossdock knows.
    """

    id: str
    act: Act
    who: str
    at: int
    why: str
    letters: int
    wanted: Mapping[str, Any]
    shown: Mapping[str, Any]
    state: State = "asked"
    by: str = ""
    then: int = 0
    said: str = ""
    outcome: str = ""
    version: int = field(default=0, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """Return what people and scripts are told."""
        told = {name: value for name, value in asdict(self).items() if name not in ("wanted", "version")}
        return {**told, "expires": self.at + EXPIRES}


class Approvals:
    """The store of what was asked for."""

    def __init__(self, store: Records) -> None:
        self._records = store

    async def ask(
        self, act: Act, who: str, why: str, letters: int, wanted: Mapping[str, Any], shown: Mapping[str, Any]
    ) -> Approval:
        """Keep an act until somebody decides.

        Raises:
            Unavailable: the store does not answer.
        """
        now = int(time.time() * 1000)
        asked = Approval(f"ap-{secrets.token_hex(6)}", act, who, now, why, letters, wanted, shown)
        stored = await self.put(asked)
        if stored is None:  # of two with the same random name
            raise Unavailable("another one has this id; try again")
        return stored

    async def put(self, approval: Approval) -> Approval | None:
        """Store it in the place of its version; None when another one is there.

        Raises:
            Unavailable: the store does not answer; it may be stored all the same.
        """
        document = {name: value for name, value in asdict(approval).items() if name != "version"}
        version = await self._records.put(approval.id, jsontext.dumps(document), approval.version)
        return None if version is None else replace(approval, version=version)

    async def get(self, approval_id: str) -> Approval | None:
        """Return one.

        Raises:
            Unavailable: the store does not answer, or nobody can read it.
        """
        found = await self._records.get(approval_id)
        return records.one(approval_id, found, _read) if found else None

    async def all(self) -> list[Approval]:
        """Return all that are kept, newest first.

        Raises:
            Unavailable: the store does not answer.
        """
        found = [approval for _, approval in records.each(await self._records.all(), _read)]
        return sorted(found, key=lambda one: one.at, reverse=True)


def _read(stored: bytes, version: int) -> Approval:
    document = jsontext.own_loads(stored)
    approval = Approval(**records.known(Approval, document) | {"version": version})
    if records.unknown(Approval, document):
        return replace(approval, state="foreign")
    late = time.time() * 1000 > approval.at + EXPIRES and approval.state in _OPEN
    return replace(approval, state="expired") if late else approval
