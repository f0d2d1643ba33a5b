"""What the streams say of replays, on NATS; see `crossdock.pipeline.outbox.Sends`."""

from collections.abc import Callable, Mapping, Sequence

from nats.aio.client import Client
from nats.js.errors import NotFoundError

from crossdock.adapters.claims import brought
from crossdock.adapters.consumers import consumers, feed_of, route_consumer
from crossdock.adapters.pages import page
from crossdock.adapters.positions import positions
from crossdock.adapters.underway import UnderWay
from crossdock.adapters.watch import told
from crossdock.kernel.stream import ACT, CLAIM, EVENTS, JOURNAL, RAW, Message
from crossdock.project import Project
from dlq.record import DeadLetter, Place, place_of

_PAGE = 1000


class NatsSends:
    """Asks RAW and EVENTS; `project` gives the content in force."""

    def __init__(self, client: Client, project: Callable[[], Project]) -> None:
        self._client = client
        self._project = project
        self._under_way = UnderWay(client)

    async def newest(self) -> dict[str, int]:
        """See `Sends.newest`."""
        with told():
            jetstream = self._client.jetstream()
            return {name: (await jetstream.stream_info(name)).state.last_seq for name in (RAW, EVENTS)}

    async def since(self, mark: Mapping[str, int], subjects: Sequence[str]) -> set[tuple[str, str]]:
        """See `Sends.since`."""
        found = set[tuple[str, str]]()
        for stream, prefix in ((RAW, "raw."), (EVENTS, "replay.")):
            wanted = [subject for subject in subjects if subject.startswith(prefix)]
            after = mark.get(stream, 0)
            while wanted and (messages := await page(self._client, stream, after, _PAGE, wanted)):
                of_messages = (message.headers for message in messages)
                found |= {(headers.get("Nats-Msg-Id", ""), headers.get(ACT, "")) for headers in of_messages}
                after = messages[-1].seq
        return found

    async def waiting(self, letters: Sequence[DeadLetter]) -> Mapping[Place, str]:
        """See `Sent.waiting`."""
        with told():
            at = await positions(self._client, self._project())
        of_raw = {place_of(letter): f"raw.*.{letter.source or '>'}" for letter in letters}
        return await self._under_way.of(at, of_raw)

    async def recorded(self) -> int:
        """See `Sends.recorded`."""
        with told():
            state = (await self._client.jetstream().stream_info(JOURNAL)).state
        return state.last_seq if state.messages else 0

    async def unread(self, route: str) -> int:
        """See `Sends.unread`."""
        known = self._project().routes.get(route)
        if known is None:
            return 0
        with told():
            present = await consumers(self._client)
        name = route_consumer(known.name, known.types).name
        reading = next((info for info in present if info.name == name), None) or feed_of(known, present)
        return (reading.num_pending or 0) if reading else 0

    async def message(self, stream: str, seq: int) -> Message | None:
        """See `Sends.message`."""
        with told():
            try:
                found = await self._client.jetstream().get_msg(stream, seq, direct=True)
            except NotFoundError:
                return None
        at = found.time.timestamp() if found.time else 0.0
        stored = Message(seq, found.subject or "", found.data or b"", found.headers or {}, 1, at)
        message = await brought(self._client, stored)
        return None if CLAIM in message.headers else message
