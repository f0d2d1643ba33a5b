"""Sends dead letters through again; called by the operations API."""

from collections.abc import Sequence
from dataclasses import dataclass

from crossdock.kernel.stream import RAW_SEQ, Log
from crossdock.pipeline.recorder import append_entries, now_ms
from dlq.ports import Letters
from dlq.record import DeadLetter, replay
from journal import entry
from journal.entry import Entry
from journal.store import OPEN, REPLAYING, LetterState


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of one dead letter of a replay: `sent`, `skipped` (not open) or `gone` (past retention)."""

    id: str
    event_id: str
    outcome: str


async def replay_letters(
    states: Sequence[LetterState], letters: Letters, streams: Log, *, dry_run: bool
) -> list[Replayed]:
    """Send dead letters through again, oldest first, each under a new message id and with its event id kept.

    The journal says `replayed` before the copy is sent: a crash between the two leaves the letter listed as
    replaying, and a second replay of the same failure is a repeat to the broker.

    Raises:
        Unavailable: the broker does not answer; what was sent so far stays sent.
    """
    results = []
    for state in states:
        letter = await letters.get(state.ref) if state.state in (OPEN, REPLAYING) else None
        if letter is not None and not dry_run:
            await send_again(letter, state.ref, str(state.failures), streams)
        outcome = "sent" if letter else "skipped" if state.state not in (OPEN, REPLAYING) else "gone"
        results.append(Replayed(state.id, state.event_id, outcome))
    return results


async def send_again(letter: DeadLetter, ref: int, attempt: str, streams: Log) -> None:
    """Record a replay and send the copy; `ref` is the sequence of the letter in DLQ, a copy for each `attempt`.

    Raises:
        Unavailable: the broker does not answer; the copy may be stored all the same.
    """
    await append_entries(streams, [_line(letter, ref)])
    await streams.append(replay(letter, attempt))


def _line(letter: DeadLetter, ref: int) -> Entry:
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
