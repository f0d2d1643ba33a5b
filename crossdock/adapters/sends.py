"""What the streams say of replays, on NATS; see `crossdock.pipeline.replayer.Sends`."""

from collections.abc import Callable, Mapping, Sequence

from nats.aio.client import Client

from crossdock.adapters.consumers import consumers, feed_of, route_consumer
from crossdock.adapters.pages import page
from crossdock.adapters.watch import told
from crossdock.kernel.stream import EVENTS, JOURNAL, RAW
from crossdock.project import Project

_PAGE = 1000


class NatsSends:
    """Asks RAW and EVENTS; `project` gives the content in force."""

    def __init__(self, client: Client, project: Callable[[], Project]) -> None:
        self._client = client
        self._project = project

    async def newest(self) -> dict[str, int]:
        """See `Sends.newest`."""
        with told():
            jetstream = self._client.jetstream()
            return {name: (await jetstream.stream_info(name)).state.last_seq for name in (RAW, EVENTS)}

    async def since(self, mark: Mapping[str, int], subjects: Sequence[str]) -> set[str]:
        """See `Sends.since`."""
        keys = set()
        for stream, prefix in ((RAW, "raw."), (EVENTS, "replay.")):
            wanted = [subject for subject in subjects if subject.startswith(prefix)]
            after = mark.get(stream, 0)
            while wanted and (messages := await page(self._client, stream, after, _PAGE, wanted)):
                keys |= {key for message in messages if (key := message.headers.get("Nats-Msg-Id"))}
                after = messages[-1].seq
        return keys

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
