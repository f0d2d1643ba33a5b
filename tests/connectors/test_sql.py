"""The kind `sql` against real databases: what is written, and what failures mean."""

import asyncio
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crossdock.supervisor import datafolder
from tests.connectors.conformance import SECRET, Bench, conforms
from tests.connectors.databases import TARGET, Db, connector, deliver, event, run


def test_the_kind_conforms(db: Db) -> None:
    async def effects() -> list[Any]:
        return await asyncio.to_thread(db.rows, "select delivery from movements")

    if db.kind == "sqlite":
        away = "sqlite:////nowhere/at/all.db"
    else:
        away = f"{db.kind}://crossdock:{SECRET}@127.0.0.1:{datafolder.free_port()}/shop"
    bench = Bench(
        lambda: connector(db.url), lambda: connector(away), effects, refused=event("9", sku="A", quantity="many")
    )
    run(lambda: conforms(bench))


def test_numbers_texts_and_keys_arrive_as_they_are(db: Db) -> None:
    db.run("drop table if exists exact")
    db.run("create table exact (k varchar(40) primary key, big bigint, price varchar(40), note varchar(200))")
    made = connector(db.url, "table: exact\ncolumns: {k: sku, big: big, price: price, note: $event.id}\nkey: [k]")

    results = deliver(made, event('it\'s; "%s" ?', sku="tête", big=9007199254740993, price="0.10"))

    assert [result.outcome for result in results] == ["delivered"]
    assert db.rows("select * from exact") == [("tête", 9007199254740993, "0.10", 'it\'s; "%s" ?')]


def test_a_double_reaches_a_decimal_column_with_all_its_digits(db: Db) -> None:
    if db.kind == "sqlite":
        pytest.skip("SQLite has no decimals")
    db.run("drop table if exists prices")
    db.run("create table prices (k varchar(40) primary key, price numeric(30, 18))")
    made = connector(db.url, "table: prices\ncolumns: {k: sku, price: price}\nkey: [k]")

    deliver(made, event("1", sku="A", price=0.12345678901234568))

    assert db.rows("select price from prices") == [(Decimal("0.123456789012345680"),)]


def test_an_integer_that_sqlite_would_round_is_refused(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "s.db").executescript("create table t (k text primary key, n numeric)").close()
    made = connector(f"sqlite:///{tmp_path / 's.db'}", "table: t\ncolumns: {k: sku, n: big}\nkey: [k]")

    (result,) = deliver(made, event("1", sku="A", big=2**63))

    assert (result.outcome, "number_not_exact" in result.detail) == ("permanent", True)


def test_a_row_with_the_same_key_replaces_the_one_that_is_there(db: Db) -> None:
    keys = "table: movements\ncolumns: {delivery: sku, sku: sku, quantity: quantity}\nkey: [delivery]"

    results = deliver(connector(db.url, keys), event("1", sku="A", quantity=1), event("2", sku="A", quantity=2))

    assert [result.outcome for result in results] == ["delivered"] * 2
    assert db.rows("select * from movements") == [("A", "A", 2)]


def test_one_bad_row_of_a_batch_fails_alone(db: Db) -> None:
    bad = "x" if db.kind == "sqlite" else 2**63
    events = [event(str(i), sku="A", quantity=bad if i == 7 else i) for i in range(20)]

    results = deliver(connector(db.url), *events)

    assert [i for i, result in enumerate(results) if result.outcome != "delivered"] == [7]
    assert (results[7].outcome, len(db.rows("select * from movements"))) == ("permanent", 19)


@pytest.mark.parametrize("keys", ["table: nowhere\ncolumns: {a: sku}\nkey: [a]", TARGET.replace(" sku:", " wrong:")])
def test_a_wrong_table_or_column_is_permanent_and_the_probe_says_so(db: Db, keys: str) -> None:
    (result,) = deliver(connector(db.url, keys), event("1", sku="A", quantity=1))
    probed = run(connector(db.url, keys).probe)

    assert (result.outcome, probed.outcome) == ("permanent", "permanent")
    assert "nowhere" in probed.detail or "wrong" in probed.detail


def test_a_probe_finds_out_that_no_unique_index_has_the_key(db: Db) -> None:
    if db.kind == "mariadb":
        pytest.skip("its upsert names no index")
    keys = TARGET.replace("key: [delivery]", "key: [sku]")

    probed = run(connector(db.url, keys).probe)

    assert (probed.outcome, "ON CONFLICT" in probed.detail) == ("permanent", True)


def test_a_row_that_another_transaction_holds_is_waited_for_and_tried_again(db: Db) -> None:
    deliver(connector(db.url), event("1", sku="A", quantity=1))
    with db._engine.connect() as holder:
        holder.exec_driver_sql("update movements set quantity = 5")
        (result,) = deliver(connector(db.url, timeout="300ms"), event("1", sku="B", quantity=2))
        holder.rollback()
    (again,) = deliver(connector(db.url), event("1", sku="B", quantity=2))

    assert (result.outcome, again.outcome) == ("retry", "delivered")
    assert db.rows("select sku, quantity from movements") == [("B", 2)]
