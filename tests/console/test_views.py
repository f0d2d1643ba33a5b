"""What the operations API says of a journey, in people's words."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from console.views import show_journey
from crossdock.adapters.sql import SqlJournal
from journal import entry
from journal.entry import Entry

ROUTED = Entry(2, entry.PROCESS, entry.ROUTED, "stores", "tills", "s-1", "/till/1", "inventory.sold", 1, 5)
SEEN = Entry(3, entry.DELIVER, entry.MATCHED, id="s-1", raw=1, seq=5, detail="feed-0-of-1")


@pytest.mark.parametrize(
    ("routes", "behind", "told"),
    [
        ("erp,wms", "oms", "erp, wms; oms is behind"),
        ("erp", "oms,crm", "erp; oms, crm are behind"),
        ("erp", "", "erp"),
        ("", "", "no route of feed-0-of-1"),
        ("", "oms", "no route of feed-0-of-1; oms is behind"),
    ],
)
def test_a_journey_says_which_routes_matched(routes: str, behind: str, told: str) -> None:
    # given
    journal = SqlJournal("sqlite://")
    journal.project([ROUTED, SEEN._replace(routes=routes, behind=behind)], 1)
    desk: Any = SimpleNamespace(journal=journal)
    # when
    hop = asyncio.run(show_journey(desk, "s-1"))["hops"][1]
    # then
    assert (hop["stage"], hop["outcome"], hop["detail"], hop["feed"]) == ("deliver", "matched", told, "feed-0-of-1")
    assert (",".join(hop["routes"]), ",".join(hop["behind"])) == (routes, behind)
