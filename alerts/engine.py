"""Watches what the alerts of a project are about and tells their channels; runs in the operations process."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial

from alerts import book as books
from alerts import notice
from alerts.book import Book, Hush
from alerts.lease import Lease
from alerts.notice import Due, Notice, Point
from alerts.ports import Figures, Observer, Records, Sender
from alerts.spec import Alert, Alerts, Channel
from crossdock.kernel import jsontext, records
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.retry import Retry, delay

log = logging.getLogger(__name__)

EVERY = 5.0  # seconds between two looks
SEND_WITHIN = 20.0
JUDGE_WITHIN = 8.0  # less than what is left of a turn
RETRY = Retry(age=24 * 3600.0, first=5.0, most=300.0)
_BOOK, _CHANNEL, _ASIDE = "alert", "channel", "aside"


@dataclass(frozen=True, slots=True)
class Told:
    """What came of the last notice that a channel was to get; `at` is Unix milliseconds."""

    at: int
    ok: bool
    detail: str


class Engine:
    """The alerts of an installation; `clock` gives Unix seconds."""

    def __init__(
        self,
        alerts: Callable[[], Alerts],
        observer: Observer,
        store: Records,
        sender: Sender,
        base: str,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._alerts, self._observer, self._records, self._sender = alerts, observer, store, sender
        self._base, self._clock = base.rstrip("/"), clock
        self._lease = Lease(store, steady)
        self._sending: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Look every few seconds until cancelled."""
        try:
            while True:
                try:
                    await self.look()
                except Unavailable as error:
                    log.warning("alerts wait: %s", error)
                except Exception:
                    log.exception("alerts: a look broke off")
                await asyncio.sleep(EVERY)
        finally:
            await self._stop()

    async def look(self) -> None:
        """Judge every alert once, if it is this process' turn, and begin to tell what is due.

        Raises:
            Unavailable: the store does not answer.
        """
        if not await self._lease.take():
            return
        alerts, known = self._alerts(), await self.books()
        rules = list(alerts.rules.values())
        for rule, found in zip(rules, await asyncio.gather(*map(self._figures, rules)), strict=True):
            act = partial(_faulty, why=found) if isinstance(found, str) else partial(self._judged, rule, found)
            known[rule.name] = await self._change(rule.name, act, known.get(rule.name, Book()))
            await asyncio.sleep(0)  # each may cost some hundredths of a second
        for name in known.keys() - alerts.rules.keys():
            known[name] = await self._change(name, partial(self._ended, name), known[name])
        self._tell(alerts, known)

    async def settled(self) -> None:
        """Wait until what is being sent has ended."""
        await asyncio.gather(*self._sending.values())

    async def books(self) -> dict[str, Book]:
        """Return what is known of each alert, by name.

        Raises:
            Unavailable: the store does not answer.
        """
        found = await self._records.all(_BOOK)
        return {name.removeprefix(f"{_BOOK}."): book for name, book in records.each(found, _book)}

    async def told(self) -> dict[str, Told]:
        """Return what came of the last notice of each channel, by name.

        Raises:
            Unavailable: the store does not answer.
        """
        found = await self._records.all(_CHANNEL)
        return {name.removeprefix(f"{_CHANNEL}."): told for name, told in records.each(found, _read_told)}

    async def hush(self, alert: str, subject: str, by: Hush) -> None:
        """Note that a person knows.

        Raises:
            Unavailable: the store does not answer.
        """
        await self._change(alert, partial(books.hush, subject=subject, by=by, now=self.now()))

    async def test(self, channel: Channel, who: str) -> Told:
        """Send a notice that is none, and return what came of it.

        Raises:
            Unavailable: the store does not answer.
        """
        now = self.now()
        point = Point("test", f"{who} tries this channel", now, 0, 0.0, self._base + "/alerts")
        told = Notice(f"an-test-{now}", "test", notice.TEST, "note", now, "", (point,))
        came = await self._send(channel, told)
        await self._note(channel, came)
        return came

    async def _figures(self, rule: Alert) -> Figures | str:
        """Return the figures of an alert, or why nobody can tell."""
        try:
            async with asyncio.timeout(JUDGE_WITHIN):
                return await self._observer.figures(rule.when)
        except (Unavailable, TimeoutError) as error:
            return str(error) or f"no figures within {JUDGE_WITHIN:.0f} s"
        except Exception as error:
            log.exception("alert %s cannot be judged", rule.name, extra={"alert": rule.name})
            return type(error).__name__

    def _judged(self, rule: Alert, figures: Figures, book: Book) -> Book:
        return books.advance(book, rule, figures, self._base, self.now())

    def _ended(self, name: str, book: Book) -> Book:
        return books.end(book, name, self.now())

    def now(self) -> int:
        """Return the time, in Unix milliseconds."""
        return int(self._clock() * 1000)

    async def _change(self, name: str, act: Callable[[Book], Book], present: Book | None = None) -> Book:
        """Change a book, on top of what others changed at the same moment; nothing is stored where nothing differs."""
        wanted = None if present is None else act(present)
        if present is not None and wanted is not None and not present.differs(wanted):
            return present
        while True:
            found = await self._records.get(f"{_BOOK}.{name}")
            version = found[1] if found else 0
            before = await self._read(name, found[0]) if found else Book()
            after = wanted if wanted is not None and before == present else act(before)  # work is dear of thousands
            if not before.differs(after):
                return after
            if await self._records.put(f"{_BOOK}.{name}", after.stored(), version) is not None:
                return after

    async def _read(self, name: str, stored: bytes) -> Book:
        """Return a book, an empty one for what nobody can read: an alert told twice is better than one that is blind.

        What nobody can read is put aside first, as a later version of Crossdock may have written it.
        """
        try:
            return _book(stored)
        except records.UNFIT as error:
            log.error("the record of alert %s is put aside: %s", name, type(error).__name__)
            aside = await self._records.get(f"{_ASIDE}.{name}")
            await self._records.put(f"{_ASIDE}.{name}", stored, aside[1] if aside else 0)
            return Book()

    def _tell(self, alerts: Alerts, known: Mapping[str, Book]) -> None:
        """Begin to send what is due, each channel by itself, in the order in which it came."""
        now, waiting = self.now(), dict[str, list[tuple[str, Due]]]()
        for name, book in known.items():
            for due in book.due:
                waiting.setdefault(due.channel, []).append((name, due))
        self._sending = {name: task for name, task in self._sending.items() if not task.done()}
        for name, ones in waiting.items():
            ones.sort(key=lambda one: (one[1].notice.at, one[1].notice.id))
            if name not in self._sending and ones[0][1].at <= now:
                self._sending[name] = asyncio.create_task(self._empty(alerts.channels.get(name), ones))

    async def _empty(self, channel: Channel | None, ones: list[tuple[str, Due]]) -> None:
        """Send what waits for a channel until something does not arrive or it is another process' turn."""
        with contextlib.suppress(Unavailable):  # the store is away: what was sent may be sent again, under its id
            for name, due in ones:
                if not self._lease.held():
                    return
                told = await self._send(channel, due.notice) if channel else Told(0, False, "it is gone")
                now = self.now()
                if told.ok or channel is None or now - due.notice.at > RETRY.age * 1000:
                    await self._change(name, partial(books.done, due=due))
                else:
                    pause = int(delay(RETRY, due.tries + 1, 1.0) * 1000)
                    await self._change(name, partial(books.later, due=due, at=now + pause))
                if channel:
                    await self._note(channel, told)
                if channel and not told.ok:
                    return

    async def _send(self, channel: Channel, told: Notice) -> Told:
        if channel.missing:
            return Told(self.now(), False, f"not set: {', '.join(channel.missing)}")
        try:
            async with asyncio.timeout(SEND_WITHIN):
                return Told(self.now(), True, await self._sender.send(channel, told))
        except (Unavailable, TimeoutError) as error:
            why = str(error) or f"no answer within {SEND_WITHIN:.0f} s"
        except Exception as error:
            log.exception("channel %s", channel.name)
            why = type(error).__name__
        about = {"alert": told.alert}
        log.warning("channel %s did not get alert %s: %s", channel.name, told.alert, why, extra=about)
        return Told(self.now(), False, why)

    async def _note(self, channel: Channel, told: Told) -> None:
        _, version = await self._records.get(f"{_CHANNEL}.{channel.name}") or (b"", 0)
        await self._records.put(f"{_CHANNEL}.{channel.name}", jsontext.dumps(asdict(told)), version)

    async def _stop(self) -> None:
        for task in self._sending.values():
            task.cancel()
        await asyncio.gather(*self._sending.values(), return_exceptions=True)
        await self._sender.close()
        with contextlib.suppress(Unavailable):
            await self._lease.give_up()


def _book(stored: bytes, _: int = 0) -> Book:
    return books.read(jsontext.own_loads(stored))


def _read_told(stored: bytes, _: int) -> Told:
    return Told(**records.known(Told, jsontext.own_loads(stored)))


def _faulty(book: Book, why: str) -> Book:
    return replace(book, fault=why)
