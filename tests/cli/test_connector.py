"""`crossdock connector`: what there is, and whether it answers from here."""

import json
import sqlite3
from pathlib import Path

import pytest

from tests.cli.architect import answer, run
from tests.smallproject import write

STAGING = "connectors/staging.yaml"
ERP = "connector: erp\nkind: sql\nurl: sqlite:///{db}\ntable: moves\ncolumns: {{a: location}}\nkey: [a]\n"
FILES = {
    STAGING: "connector: staging\nkind: nats\nurl: nats://${BUS}:4222\nsubject: shop.stock\n",
    "routes/stock.yaml": "routes: [{route: stock, from: [inventory.sold], to: [erp, staging]}]\n",
    "routes/stock.test.yaml": None,
}


def shop(root: Path, *statements: str) -> Path:
    with sqlite3.connect(root / "moves.db") as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return write(root / "shop", {**FILES, "connectors/erp.yaml": ERP.format(db=root / "moves.db")})


def test_the_list_says_what_leads_where(tmp_path: Path) -> None:
    items = answer(shop(tmp_path), "connector", "list")["items"]

    assert [(one["connector"], one["kind"], one["routes"]) for one in items] == [
        ("erp", "sql", ["stock-erp"]),
        ("staging", "nats", ["stock-staging"]),
    ]


def test_a_connector_that_is_ready_is_fine_though_another_lacks_a_variable(tmp_path: Path) -> None:
    root = shop(tmp_path, "create table moves (a text primary key)")

    one, all_ = run(root, "connector", "check", "erp", "--json"), run(root, "connector", "check", "--json")

    assert (one.exit_code, [item["ok"] for item in json.loads(one.stdout)["items"]]) == (0, [True])
    missing = json.loads(all_.stdout)["items"][1]
    assert (all_.exit_code, missing["ok"], "'BUS'" in missing["detail"]) == (1, False, True)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("create table other (a text)", "no such table: moves"),
        ("create table moves (b text)", "no column named a"),
        ("create table moves (a text)", "ON CONFLICT clause does not match"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, statement: str, told: str) -> None:
    done = run(shop(tmp_path, statement), "connector", "check", "erp")

    assert (done.exit_code, told in done.stdout) == (1, True)


def test_a_name_that_is_private_or_nobody_s_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, said = shop(tmp_path), []
    for host in ("localhost", "nobody.invalid"):
        monkeypatch.setenv("BUS", host)
        said.append(run(root, "connector", "check", "staging").stdout)

    assert "private_address" in said[0]
    assert "nobody.invalid" in said[1]


def test_a_connector_that_there_is_not_is_wrong_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUS", "bus.example")
    assert run(shop(tmp_path), "connector", "check", "nothing").exit_code == 2
