"""The README, the tutorial and the examples of the documents, run as a person types them against real servers."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT
from tests.docs.terminal import Terminal, follow, terminal

README = ROOT / "README.md"
GATEWAY = ROOT / "docs" / "gateway.md"
OPERATIONS = ROOT / "docs" / "operations.md"
TUTORIAL = ROOT / "docs" / "tutorial.md"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """The folder of the README's five minutes, followed to their end, with its ERP and its Crossdock running."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "data").symlink_to("shop/data")  # the documents for operators use the default folder
    with terminal(folder) as opened:
        assert follow(opened, README) == 2
        opened.variables["GATEWAY"] = f"http://127.0.0.1:{opened.ports['8090']}"
        yield opened


@pytest.mark.parametrize(("document", "answers"), [(GATEWAY, 8), (OPERATIONS, 0)], ids=["gateway", "operations"])
def test_what_a_document_shows_is_what_happens(shop: Terminal, document: Path, answers: int) -> None:
    assert follow(shop, document) == answers


def test_the_ledger_of_the_five_minutes_is_balanced_and_the_erp_booked_the_order_once(shop: Terminal) -> None:
    # when
    ledger = json.loads(shop.run(".venv/bin/python -m crossdock ledger --json").stdout)
    booked = json.loads(shop.run("curl -sS http://127.0.0.1:9081/_effects").stdout)
    # then
    assert ledger["balanced"]
    assert [effect["id"] for effect in booked].count("order-1") == 1


def test_the_tutorial_prints_what_it_shows(tmp_path: Path) -> None:
    with terminal(tmp_path) as opened:
        assert follow(opened, TUTORIAL) > 10
