"""How old what waits is, as the broker says."""

import asyncio
import time
from pathlib import Path

from crossdock.adapters.ages import ages
from crossdock.adapters.consumers import PROCESS_CONSUMER, feed_consumer
from crossdock.adapters.inbox import NatsInbox
from crossdock.adapters.log import Acks, NatsLog
from crossdock.kernel.stream import Record
from tests.realservers import clean
from tests.smallproject import project

APART = 0.3  # seconds between two messages


def test_the_age_is_that_of_the_oldest_message_that_nobody_has_done_with(nats_url: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, topology):
            loaded, acks = project(tmp_path), Acks(client)
            await acks.start()
            assert await ages(client, loaded) == {}
            feed = feed_consumer(0, 1, loaded.routes.values())
            for consumer in (PROCESS_CONSUMER, feed):
                await topology.consumer(consumer, 1)

            async def since() -> float:
                """Return when the oldest was stored, which no load of the machine moves as it does an age."""
                age = (await ages(client, loaded))["stock"]
                assert age > 0
                return time.time() - age

            # given
            streams = NatsLog(acks)
            await streams.append(Record("event.other", b"{}", "0"))  # which no route takes
            assert await ages(client, loaded) == {"process": 0, "stock": 0}
            await streams.append(Record("event.inventory.sold", b"{}", "1"))
            await asyncio.sleep(APART)
            await streams.append(Record("event.inventory.sold", b"{}", "2"))
            first = await since()
            # when
            inbox = await NatsInbox(client, feed.stream, feed.name).start()
            inbox.ack((await inbox.fetch(2, 5))[:1])
            await client.flush()
            async with asyncio.timeout(5):
                while await since() < first + APART / 2:  # noqa: ASYNC110  nobody tells of an acknowledgement
                    await asyncio.sleep(0.01)
            await inbox.close()
            await acks.close()

    asyncio.run(scenario())
