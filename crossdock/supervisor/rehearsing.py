"""Tries dead letters with the content in force or other content, in memory. Called by the operations API."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from crossdock.project import Project
from crossdock.supervisor.trials import Trials
from dlq.record import DeadLetter


class Rehearsing:
    """See `console.desk.Desk.rehearse`; `project` gives the content in force."""

    def __init__(self, trials: Trials, project: Callable[[], Project]) -> None:
        self._trials = trials
        self._project = project

    async def __call__(
        self, archive: bytes, letters: Sequence[DeadLetter], edited: Sequence[DeadLetter]
    ) -> dict[str, Any]:
        """Return what would become of them, edited; compared with the revision by which most failed, if it is kept.

        Raises:
            Refused: the archive holds no content that could go in force.
            Unavailable: the broker does not answer.
        """
        present, _ = await self._trials.in_force(self._project().revision)
        candidate = await self._trials.given(archive) if archive else present
        revisions = Counter(letter.revision for letter in letters if letter.revision).most_common(1)
        kept = await self._trials.kept(revisions[0][0]) if revisions else None
        base = kept[0] if kept else present
        from crossdock.plan.resending import resend  # noqa: PLC0415  what a dry run needs, most never ask for

        return await self._trials.run(lambda: resend(base, candidate, letters, edited, present))
