"""What the projection tells the running ledger of, which is then not read a second time."""

from pathlib import Path

import pytest

from crossdock.adapters import ledgersums
from journal import entry
from journal.entry import Entry
from tests.adapters.test_ledger import Site, run


def test_what_the_projection_read_is_not_read_again_and_nothing_is_skipped(nats_url: str, tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        await site.deliver("s-1")
        await site.ledgers.now()
        line = Entry(9, entry.GATEWAY, entry.DUPLICATE, source="tills", raw=1)
        seq = await site.record(line)
        site.ledgers.hear([(seq, [line])])
        site.ledgers.hear([(seq, [line])])
        skipped = await site.record(line)
        site.ledgers.hear([(skipped + 1, [line])])
        assert (await site.both()).sources[0]["duplicate"] == 2

    run(nats_url, tmp_path, scenario)


def test_a_lot_of_the_projection_that_a_look_has_read_in_part_counts_from_there_on(
    nats_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(site: Site) -> None:
        await site.deliver("s-1")
        line = Entry(9, entry.GATEWAY, entry.DUPLICATE, source="tills", raw=1)
        first = await site.record(line)
        await site.ledgers.now()
        second = await site.record(line)
        site.ledgers.hear([(first, [line]), (second, [line])])
        monkeypatch.setattr(ledgersums, "entries", lambda _: pytest.fail("read again"))
        assert (await site.ledgers.now()).sources[0]["duplicate"] == 2

    run(nats_url, tmp_path, scenario)
