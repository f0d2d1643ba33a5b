"""Tries dead letters with the content in force or other content, in memory. Called by the operations API."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crossdock import bundle
from crossdock.adapters.contents import NatsContents
from crossdock.project import Project
from dlq.record import DeadLetter


class Rehearsing:
    """See `console.desk.Desk.rehearse`; `project` gives the content in force."""

    def __init__(self, contents: NatsContents, env: Mapping[str, str], project: Callable[[], Project]) -> None:
        self._contents = contents
        self._env = env
        self._project = project

    async def __call__(self, archive: bytes, letters: Sequence[DeadLetter]) -> dict[str, Any]:
        """Return what would become of them; compared with the revision by which most failed, if it is still kept.

        Raises:
            Refused: the archive holds no content that could go in force.
            Unavailable: the broker does not answer.
        """
        present = self._project()
        candidate = present
        if archive:
            given = await asyncio.to_thread(bundle.decode, archive)
            candidate = await asyncio.to_thread(given.load, self._env)
        base = await self._base(letters, present)
        from crossdock.plan.resending import resend  # noqa: PLC0415  what a dry run needs, most never ask for

        return await asyncio.to_thread(resend, base, candidate, letters)

    async def _base(self, letters: Sequence[DeadLetter], present: Project) -> Project:
        revisions = Counter(letter.revision for letter in letters if letter.revision).most_common(1)
        if not revisions or revisions[0][0] == present.revision:
            return present
        kept = await self._contents.bundle(revisions[0][0])
        return await asyncio.to_thread(kept.load, self._env) if kept else present
