"""The shared feed of a worker: reads EVENTS once and hands each event to the routes it matches."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence

from crossdock.kernel import event as events
from crossdock.kernel.expression import view
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import RAW_SEQ, SOURCE, Inbox, Message
from crossdock.pipeline.hands import Hands, Share, release
from crossdock.pipeline.held import LEAST
from crossdock.pipeline.lane import PULL_WAIT, Lane
from crossdock.pipeline.recorder import Recorder, now_ms
from journal import entry
from journal.entry import Entry

log = logging.getLogger(__name__)

BATCH = 500
TEND_EVERY = 0.25
EXTEND_EVERY = 2.0  # seconds; a third of the broker's patience
AWAY = 0.5  # seconds until the broker is asked again
_REPLAY, _EVENT = "replay.", "event."


class Feed:
    """Gives events to the lanes that follow it; acknowledges one when all that took it are done and that is recorded.

    `position` is the sequence in EVENTS up to which everything has been handed out.
    """

    def __init__(
        self, inbox: Inbox, position: int, lanes: Sequence[Lane], recorder: Recorder, name: str, revision: str
    ) -> None:
        self.position = position
        self._name = name
        self._hands = Hands(inbox)
        self._lanes = [*lanes]
        self._by_subject: dict[str, list[Lane]] = {}
        self._recorder = recorder
        self._stopping = asyncio.Event()
        self._turn = asyncio.Lock()  # while a lane joins, nothing is handed out
        self._change = asyncio.Lock()  # one lane at a time joins, falls behind or leaves; taken after `_turn`
        self._late: set[Lane] = set()
        self._unsure: set[Lane] = set()  # the broker may have made a consumer of which its answer did not come
        self._noted: dict[asyncio.Future[None], list[Share]] = {}
        self.carry(revision)

    async def run(self) -> None:
        """Hand out events until `stop`."""
        async with asyncio.TaskGroup() as group:
            others = [group.create_task(self._extend()), group.create_task(self._tend())]
            while not self._stopping.is_set():
                await self._pull()
            for task in others:
                task.cancel()

    def carry(self, revision: str, new: Sequence[Lane] = ()) -> None:
        """Hand out from now on as the routes of a revision say; `new` lanes read through consumers of their own yet."""
        self._revision = revision
        self._lanes = [*self._lanes, *new]  # another list: somebody may be on his way through the old one
        self._by_subject = {}
        for lane in self._lanes:
            for subject in (*(_EVENT + kind for kind in lane.route.types), _REPLAY + lane.route.name):
                self._by_subject.setdefault(subject, []).append(lane)

    async def remove(self, lane: Lane, until: int | None = None) -> None:
        """Let a lane leave; see `Lane.remove`.

        Raises:
            Unavailable: the broker does not answer; the lane is still here.
        """
        async with self._turn, self._change:
            if lane.following:
                self._unsure.add(lane)
            await lane.remove(await self._since(self.position + 1), until)
            self._unsure.discard(lane)
            self._lanes = [one for one in self._lanes if one is not lane]
            self.carry(self._revision)

    def stop(self) -> None:
        """Hand out no more; what is in hand stays with the lanes."""
        self._stopping.set()

    async def close(self) -> None:
        """After the lanes have stopped, let those with unfinished deliveries go on through consumers of their own."""
        async with self._turn, self._change:
            for lane in self._lanes:
                with contextlib.suppress(Unavailable):  # the broker hands out again what is not acknowledged
                    if lane.following and lane.holds:
                        await lane.hand_over(await self._since(self.position + 1), self.position)
                    elif lane.following and lane in self._unsure:
                        await lane.tidy()

    async def _pull(self) -> None:
        room = BATCH
        for lane in self._lanes:
            if lane.renewing or not lane.following:
                continue
            if lane.attempts.keeps_up() and lane.attempts.room() < room:
                room = lane.attempts.room()
                if room < LEAST:
                    await lane.attempts.change()
                    return
        try:
            messages = await self._hands.inbox.fetch(room, PULL_WAIT)
        except Unavailable as error:
            log.warning("feed: %s", error)
            await asyncio.sleep(PULL_WAIT)
            return
        async with self._turn:
            self._late = {lane for lane in self._lanes if lane.following and lane.late()}
            for message in messages:
                share = self._hands.take(message)
                if share is not None:
                    await self._hand_out(message, share)

    async def _hand_out(self, message: Message, share: Share) -> None:
        lanes = self._by_subject.get(message.subject, [])
        for lane in lanes:
            if lane in self._late:
                await self._leave_behind(lane, message.seq)
        self.position = max(self.position, message.seq)
        if message.subject.startswith(_REPLAY):
            self._replay(message, share, lanes)
        else:
            self._note(share, self._give(message, share, lanes))

    def _replay(self, message: Message, share: Share, lanes: Sequence[Lane]) -> None:
        """Hand out what is meant for one route; one that is behind gets it through its own consumer."""
        for lane in lanes:
            if lane.following:
                share.left += 1
                lane.admit_own(message, share)
        release([share])

    def _give(self, message: Message, share: Share, lanes: Sequence[Lane]) -> Entry:
        """Hand an event to the lanes that want it; return what is to be recorded."""
        routes: list[Lane] = []
        behind: list[Lane] = []
        following: list[Lane] = []
        event_id, source = "", message.headers.get(SOURCE, "")
        for lane in lanes:
            # What a lane knows it took from its own consumer, just before it joined the feed.
            (following if lane.following and not lane.knows(message.seq) else behind).append(lane)
        try:
            event = events.restore(message.payload)
            event_id, seen = event.id, view(event, source)
        except Exception as error:
            for lane in following:
                share.left += 1
                lane.admit_unread(message, error, share)
            routes = following
        else:
            for lane in following:
                share.left += 1
                if lane.admit(message, event, seen, share):
                    routes.append(lane)
                else:
                    share.left -= 1
        now = now_ms()
        return Entry(
            at=now,
            stage=entry.DELIVER,
            outcome=entry.MATCHED,
            source=source,
            id=event_id,
            raw=int(message.headers.get(RAW_SEQ, 0)),
            seq=message.origin,
            detail=self._name,
            routes=",".join([lane.route.name for lane in routes]),
            behind=",".join([lane.route.name for lane in behind]),
            ms=max(0, now - int(message.time * 1000)),
            revision=self._revision,
        )

    def _note(self, share: Share, line: Entry) -> None:
        stored = self._recorder.note(line)
        if stored not in self._noted:
            self._noted[stored] = []
            stored.add_done_callback(lambda done: release(self._noted.pop(done)))
        self._noted[stored].append(share)

    async def _leave_behind(self, lane: Lane, seq: int) -> None:
        """Let a lane fall behind before an event that it cannot take, however long the broker is away."""
        self._late.discard(lane)
        while lane.following and not self._stopping.is_set():
            try:
                async with self._change:
                    await self._fall_behind(lane, seq)
            except Unavailable as error:
                log.warning("route %s: %s", lane.route.name, error, extra={"route": lane.route.name})
                await asyncio.sleep(AWAY)

    async def _fall_behind(self, lane: Lane, seq: int) -> None:
        self._unsure.add(lane)
        await lane.fall_behind(await self._since(seq))
        self._unsure.discard(lane)

    async def _since(self, seq: int) -> int:
        """Return from where a lane must read that leaves the feed before `seq`.

        What is not acknowledged before it may be in nobody's hands: a worker that died had it, and it comes again.
        """
        return min(seq, await self._hands.inbox.floor() + 1)

    async def _tend(self) -> None:
        """Look after lanes that cannot keep up, and after those that can again."""
        while True:
            await asyncio.sleep(TEND_EVERY)
            for lane in self._lanes:
                try:
                    await self._look_after(lane)
                except Unavailable as error:
                    log.warning("route %s: %s", lane.route.name, error, extra={"route": lane.route.name})

    async def _look_after(self, lane: Lane) -> None:
        if not lane.following:
            if lane.near(self.position):
                async with self._turn, self._change:
                    await lane.join(self.position)
            return
        # The feed goes on meanwhile: to make or remove a consumer may take the broker long.
        async with self._change:
            if lane.following and lane.stuck():
                await self._fall_behind(lane, self.position + 1)
            elif lane.following and lane in self._unsure:
                await lane.tidy()
                self._unsure.discard(lane)
            else:
                await lane.leave()

    async def _extend(self) -> None:
        while True:
            await asyncio.sleep(EXTEND_EVERY)
            self._hands.extend(EXTEND_EVERY / 2)
            for lane in self._lanes:
                lane.extend(EXTEND_EVERY / 2)
