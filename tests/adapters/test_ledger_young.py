"""The ledger of a process that has just begun: what it cannot tell yet ends no alert, and poison does not stop it."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from crossdock.adapters.ledger import Ledgers
from crossdock.supervisor.alerting import _gaps
from journal import entry
from journal.entry import SUBJECT
from tests.adapters.test_ledger import Site, run


def gaps(ledgers: Ledgers) -> list[dict[str, Any]] | None:
    """Return what alerts are judged by."""
    desk: Any = SimpleNamespace(last_ledger=lambda: ledgers.latest)
    return _gaps(desk)


def test_after_a_restart_nobody_says_that_a_gap_is_gone_before_it_could_be_told_again(
    nats_url: str, tmp_path: Path
) -> None:
    async def scenario(site: Site) -> None:
        await site.deliver("s-1", entry.DELIVERED)
        await site.done(site.feed)
        again = Ledgers(site.client, lambda: site.project, {}, grace=0.5)
        assert gaps(again) is None
        # when
        assert (await again.now()).missing == 1
        # then
        assert gaps(again) is None
        await asyncio.sleep(0.6)
        await again.now()
        assert [gap["events"] for gap in gaps(again) or ()] == [1]

    run(nats_url, tmp_path, scenario)


def test_where_nothing_is_missing_that_is_told_at_once(nats_url: str, tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        await site.deliver("s-1")
        await site.done(site.feed)
        again = Ledgers(site.client, lambda: site.project, {}, grace=60)
        assert (await again.now()).balanced
        assert gaps(again) == []

    run(nats_url, tmp_path, scenario)


def test_what_goes_missing_later_is_no_reason_to_forget_the_others(nats_url: str, tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        again = Ledgers(site.client, lambda: site.project, {}, grace=0.3)
        await again.now()
        await asyncio.sleep(0.4)
        await site.deliver("s-1", entry.DELIVERED)
        await site.done(site.feed)
        assert (await again.now()).missing == 1
        assert gaps(again) == []

    run(nats_url, tmp_path, scenario)


def test_a_message_of_the_journal_that_nobody_can_read_stops_neither_the_sums_nor_the_proof(
    nats_url: str, tmp_path: Path
) -> None:
    async def scenario(site: Site) -> None:
        await site.deliver("s-1")
        for payload in (b"", b"no JSON", b"[1]", b'{"count":1,"columns":{"raw":"x"}}'):
            await site.store(SUBJECT, payload)
        await site.deliver("s-2")
        await site.done(site.feed)
        ledger = await site.both()
        assert (ledger.balanced, ledger.routes[0]["delivered"]) == (True, 2)

    run(nats_url, tmp_path, scenario)
