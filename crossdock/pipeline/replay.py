"""Sends dead letters through again; called by the operations API."""

import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass

from crossdock.kernel.stream import Log
from crossdock.pipeline.acts import Acts
from crossdock.pipeline.recorder import append_entries
from crossdock.pipeline.resend import TAKEN, line_of, send
from dlq.ports import Letters
from dlq.record import DeadLetter, replay
from journal import entry
from journal.store import OPEN, REPLAYING, LetterState

LOT = 100  # dead letters of one turn: so many are sent before somebody else may act

_Hinder = Callable[[Mapping[str, DeadLetter], Mapping[str, LetterState]], Awaitable[Mapping[str, str]]]
_Act = Callable[[DeadLetter, LetterState], Awaitable[str]]  # and return why it was not done, nothing when it was


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of one dead letter: `sent`, `discarded`, `skipped` for a reason, or `gone` (past retention)."""

    id: str
    event_id: str
    outcome: str
    reason: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return what people and scripts are told; a `reason` only where there is one."""
        told = asdict(self)
        return told if self.reason else {name: value for name, value in told.items() if name != "reason"}


async def replay_letters(
    states: Sequence[LetterState],
    letters: Letters,
    streams: Log,
    acts: Acts,
    routes: Collection[str],
    *,
    dry_run: bool,
) -> list[Replayed]:
    """Send dead letters through again, oldest first, each under a new message id and with its event id kept.

    Those of a route that is not one of `routes` any more are skipped, as nobody would read them, and those of which
    another replay is under way. The journal says `replayed` before the copy is sent: a crash between the two leaves the
    letter listed as replaying, and it can be sent again.

    Raises:
        Unavailable: the broker does not answer, or as `Acts.turn` does; what was sent so far stays sent.
    """
    act = f"re-{secrets.token_hex(6)}"

    async def hinder(found: Mapping[str, DeadLetter], present: Mapping[str, LetterState]) -> Mapping[str, str]:
        return await acts.hindered(found, present, act)

    async def again(letter: DeadLetter, state: LetterState) -> str:
        if letter.route and letter.route not in routes:
            return f"no route {letter.route} is in force"
        made = replay(letter, str(state.failures), act)
        return "" if dry_run or await send(made, line_of(letter, state.ref), streams) else TAKEN

    return await _each(states, letters, acts, hinder, again, "sent")


async def discard_letters(
    states: Sequence[LetterState], letters: Letters, streams: Log, acts: Acts, reason: str, who: str = ""
) -> list[Replayed]:
    """Give open dead letters up for good, for a reason that the journal keeps.

    Raises:
        Unavailable: the broker does not answer, or as `Acts.turn` does; what was given up so far stays so.
    """

    async def hinder(_: Mapping[str, DeadLetter], present: Mapping[str, LetterState]) -> Mapping[str, str]:
        return {one.id: f"it is {one.state}" for one in present.values() if one.state != OPEN}

    async def discard(letter: DeadLetter, state: LetterState) -> str:
        line = line_of(letter, state.ref)._replace(outcome=entry.DISCARDED, detail=reason, who=who)
        await append_entries(streams, [line])
        return ""

    return await _each(states, letters, acts, hinder, discard, "discarded")


async def _each(
    states: Sequence[LetterState], letters: Letters, acts: Acts, hinder: _Hinder, act: _Act, done: str
) -> list[Replayed]:
    """Act on those that nothing hinders when their turn comes, whatever they were when they were selected."""
    results = []
    for start in range(0, len(states), LOT):
        ids = [state.id for state in states[start : start + LOT]]
        async with acts.turn(ids) as present:
            fitting = [one for one in present.values() if one.state in (OPEN, REPLAYING)]
            found = {one.id: letter for one in fitting if (letter := await letters.get(one.ref)) is not None}
            hindered = await hinder(found, present)
            for state in (present[letter_id] for letter_id in ids):
                if state.id not in hindered and state.id not in found:
                    results.append(Replayed(state.id, state.event_id, "gone"))
                    continue
                reason = hindered.get(state.id) or await act(found[state.id], state)
                results.append(Replayed(state.id, state.event_id, "skipped" if reason else done, reason))
    return results
