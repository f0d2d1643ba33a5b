"""Sends dead letters through again; called by the operations API."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

from crossdock.kernel.stream import RAW_SEQ, Log
from crossdock.pipeline.acts import Acts
from crossdock.pipeline.recorder import append_entries, now_ms
from dlq.ports import Letters
from dlq.record import DeadLetter, replay
from journal import entry
from journal.entry import Entry
from journal.store import OPEN, REPLAYING, LetterState

LOT = 100  # dead letters of one turn: so many are sent before somebody else may act

_Act = Callable[[DeadLetter, LetterState], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of one dead letter: `sent`, `discarded`, `skipped` (in another state) or `gone` (past retention)."""

    id: str
    event_id: str
    outcome: str


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

    Those of a route that is not one of `routes` any more are skipped, as nobody would read them.
    The journal says `replayed` before the copy is sent: a crash between the two leaves the letter listed as
    replaying, and a second replay of the same failure is a repeat to the broker.

    Raises:
        Unavailable: the broker does not answer, or as `Acts.turn` does; what was sent so far stays sent.
    """

    async def send(letter: DeadLetter, state: LetterState) -> str:
        if letter.route and letter.route not in routes:
            return "skipped"
        if not dry_run:
            await send_again(letter, state.ref, str(state.failures), streams)
        return "sent"

    return await _each(states, letters, acts, (OPEN, REPLAYING), send)


async def discard_letters(
    states: Sequence[LetterState], letters: Letters, streams: Log, acts: Acts, reason: str, who: str = ""
) -> list[Replayed]:
    """Give open dead letters up for good, for a reason that the journal keeps.

    Raises:
        Unavailable: the broker does not answer, or as `Acts.turn` does; what was given up so far stays so.
    """

    async def discard(letter: DeadLetter, state: LetterState) -> str:
        line = line_of(letter, state.ref)._replace(outcome=entry.DISCARDED, detail=reason, who=who)
        await append_entries(streams, [line])
        return "discarded"

    return await _each(states, letters, acts, (OPEN,), discard)


async def _each(
    states: Sequence[LetterState], letters: Letters, acts: Acts, fitting: Collection[str], act: _Act
) -> list[Replayed]:
    """Act on those that are in a fitting state when their turn comes, whatever they were when they were selected."""
    results = []
    for start in range(0, len(states), LOT):
        ids = [state.id for state in states[start : start + LOT]]
        async with acts.turn(ids) as present:
            for state in (present[letter_id] for letter_id in ids):
                outcome = await _outcome(state, letters, act) if state.state in fitting else "skipped"
                results.append(Replayed(state.id, state.event_id, outcome))
    return results


async def _outcome(state: LetterState, letters: Letters, act: _Act) -> str:
    letter = await letters.get(state.ref)
    return await act(letter, state) if letter else "gone"


async def send_again(letter: DeadLetter, ref: int, attempt: str, streams: Log) -> None:
    """Record a replay and send the copy; `ref` is the sequence of the letter in DLQ, a copy for each `attempt`.

    Raises:
        Unavailable: the broker does not answer; the copy may be stored all the same.
    """
    await append_entries(streams, [line_of(letter, ref)])
    await streams.append(replay(letter, attempt))


def line_of(letter: DeadLetter, ref: int) -> Entry:
    """Return the journal entry of a replay; `ref` is the sequence of the letter in DLQ."""
    by_route = bool(letter.route)
    return Entry(
        at=now_ms(),
        stage=entry.REPLAY,
        outcome=entry.REPLAYED,
        partner=letter.partner,
        source=letter.source,
        id=letter.event_id,
        type=letter.type,
        raw=int(letter.headers.get(RAW_SEQ, 0)) if by_route else letter.origin,
        seq=letter.origin if by_route else 0,
        route=letter.route,
        key=letter.key,
        dead_letter=letter.id,
        ref=ref,
    )
