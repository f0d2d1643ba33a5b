"""The audit log on NATS: a stream of its own from which nothing can be removed, kept for ever."""

from nats.aio.client import Client
from nats.js.api import Header, StorageType, StreamConfig
from nats.js.errors import APIError, NotFoundError

from crossdock.adapters.pages import page
from crossdock.adapters.watch import told

AUDIT = "AUDIT"
SUBJECT = "crossdock.audit"
_WRONG_LAST_SEQUENCE = 10071


async def make_stream(client: Client, replicas: int) -> None:
    """Make the stream if it is not there; the broker refuses to delete or purge its messages, and to allow that again.

    Raises:
        Unavailable: the broker does not answer.
    """
    jetstream = client.jetstream()
    wanted = StreamConfig(
        name=AUDIT,
        subjects=[SUBJECT],
        storage=StorageType.FILE,
        num_replicas=replicas,
        deny_delete=True,
        deny_purge=True,
        allow_direct=True,
    )
    with told():
        try:
            present = (await jetstream.stream_info(AUDIT)).config
        except NotFoundError:
            await jetstream.add_stream(wanted)
            return
        if present.num_replicas != replicas:
            await jetstream.update_stream(present.evolve(num_replicas=replicas))


class NatsAudit:
    """See `dlq.audit.AuditStore`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def last(self) -> tuple[int, bytes | None]:
        """See `AuditStore.last`; its leader is asked, as a follower may not have heard of the last one."""
        with told():
            jetstream = self._client.jetstream()
            seq: int = (await jetstream.stream_info(AUDIT)).state.last_seq
            try:
                return seq, (await jetstream.get_msg(AUDIT, seq)).data if seq else None
            except NotFoundError:
                return seq, None

    async def append(self, stored: bytes, after: int) -> bool:
        """See `AuditStore.append`."""
        with told():
            try:
                await self._client.jetstream().publish(
                    SUBJECT, stored, headers={Header.EXPECTED_LAST_SEQUENCE: str(after)}
                )
            except APIError as error:
                if error.err_code == _WRONG_LAST_SEQUENCE:
                    return False
                raise
        return True

    async def page(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        """See `AuditStore.page`."""
        return [(message.seq, message.payload) for message in await page(self._client, AUDIT, after, limit)]
