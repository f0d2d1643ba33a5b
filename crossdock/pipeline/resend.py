"""One replay: its line in the journal, and then its copy."""

from crossdock.kernel.stream import RAW_SEQ, Log, Record
from crossdock.pipeline.recorder import append_entries, now_ms
from dlq.record import DeadLetter
from journal import entry
from journal.entry import Entry

TAKEN = "the broker has, or had a few minutes ago, another replay of this failure"


async def send(record: Record, line: Entry, streams: Log) -> bool:
    """Record a replay and store its copy; False when the broker takes it for a repeat, and the journal says so.

    Raises:
        Unavailable: the broker does not answer; the copy may be stored all the same.
    """
    await append_entries(streams, [line])
    if not (await streams.append(record)).duplicate:
        return True
    await append_entries(streams, [unsent(line)])
    return False


def unsent(line: Entry) -> Entry:
    """Return what takes the word of a replay back that was recorded and that the broker did not take."""
    return line._replace(at=now_ms(), outcome=entry.WAITING, detail=f"not sent: {TAKEN}")


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
