"""What the kind `sql` reads: every row once, in the order of its watermark."""

from typing import Any

import pytest

from connectors.kinds import open_origin
from connectors.port import Lot
from crossdock.kernel.problems import Unavailable
from tests.connectors.databases import OUTSIDE, Db, run, spec

READ = "poll: {{query: 'select * from stock where sku <> ''%'' -- all', watermark: changed, limit: {limit}}}"
MOMENTS = {"sqlite": "text", "postgresql": "timestamptz", "mariadb": "datetime(6)"}


class Poll:
    """A table that is polled, and the position as the runner would keep it."""

    def __init__(self, db: Db, limit: int = 3) -> None:
        self.db = db
        self.position = ""
        self.limit = limit
        db.run("drop table if exists stock")
        db.run(f"create table stock (sku varchar(40), price numeric(12, 2), changed {MOMENTS[db.kind]})")

    def add(self, *rows: tuple[str, str]) -> None:
        values = (f"('{sku}', 1.10, '2026-01-01 00:00:{second}')" for sku, second in rows)
        self.db.run(*(f"insert into stock values {value}" for value in values))

    def lot(self) -> Lot | None:
        async def act() -> Lot | None:
            origin = open_origin(spec(self.db.url, READ.format(limit=self.limit)), OUTSIDE)
            lot = await origin.take(self.position)
            await origin.close()
            return lot

        found: Lot | None = run(act)
        return found

    def take(self) -> list[str]:
        lot = self.lot()
        self.position = lot.position if lot else self.position
        return [item["sku"] for item in lot.items] if lot else []

    def all(self) -> list[str]:
        found: list[str] = []
        while skus := self.take():
            assert len(skus) <= self.limit
            found += skus
        return found


def test_rows_come_in_the_order_of_the_watermark_and_once(db: Db) -> None:
    poll = Poll(db)
    poll.add(("C", "03"), ("A", "01"), ("B", "02"), ("D", "04"))

    assert (poll.take(), poll.take(), poll.take()) == (["A", "B", "C"], ["D"], [])


def test_ties_at_the_watermark_are_neither_lost_nor_repeated(db: Db) -> None:
    poll = Poll(db)
    poll.add(*((f"T{i}", "01") for i in range(8)))
    first = poll.all()
    poll.add(("late", "01"))

    assert sorted(first) == [f"T{i}" for i in range(8)]
    assert (poll.all(), poll.all()) == (["late"], [])


def test_a_row_that_changes_again_comes_again_and_one_without_watermark_never(db: Db) -> None:
    poll = Poll(db)
    poll.add(("A", "01"), ("B", "02"))
    poll.all()
    db.run("update stock set changed = '2026-01-01 00:00:05' where sku = 'A'")
    db.run("insert into stock values ('N', 1, null)")

    assert poll.all() == ["A"]


def test_decimals_are_read_as_text_and_what_comes_again_is_the_same(db: Db) -> None:
    if db.kind == "sqlite":
        pytest.skip("SQLite has no decimals")
    poll = Poll(db)
    poll.add(("A", "01.250000"))

    first, second = poll.lot(), poll.lot()

    assert first is not None
    assert first == second
    assert (first.items[0]["price"], first.items[0]["changed"][:23]) == ("1.10", "2026-01-01T00:00:01.250")


def test_a_query_that_fails_is_told_in_the_words_of_the_database(db: Db) -> None:
    keys = "poll: {query: 'select 1 as changed from nowhere', watermark: changed}"

    async def act() -> Any:
        origin = open_origin(spec(db.url, keys), OUTSIDE)
        try:
            return await origin.take("")
        finally:
            await origin.close()

    with pytest.raises(Unavailable) as caught:
        run(act)
    assert "nowhere" in str(caught.value)


def test_a_poll_cannot_write(db: Db) -> None:
    if db.kind != "postgresql":
        pytest.skip("only there can a query write")
    Poll(db)
    db.run("create or replace function spoil() returns int language sql as 'delete from stock returning 1'")
    keys = "poll: {query: 'select spoil() as changed', watermark: changed}"

    async def act() -> Any:
        origin = open_origin(spec(db.url, keys), OUTSIDE)
        try:
            return await origin.take("")
        finally:
            await origin.close()

    with pytest.raises(Unavailable) as caught:
        run(act)
    assert "read-only" in str(caught.value)
