"""What the operations API says of a journey, in people's words."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from console.views import show_journey, show_overview
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
        ("", "", "no route wants it"),
        ("", "oms", "no route yet; oms is behind"),
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


@pytest.mark.parametrize(
    ("behind", "lags", "waiting"),
    [
        ("", {"a": 7, "b": 7, "c": 7}, 2 + 7),  # one feed
        ("", {"a": 7, "b": 7, "c": 5}, 2 + 7 + 5),  # two feeds
        ("c", {"a": 7, "b": 7, "c": 40}, 2 + 7 + 40),
        ("bc", {"a": 7, "b": 7, "c": 7}, 2 + 7 + 7 + 7),
    ],
)
def test_what_waits_in_a_feed_counts_once_however_many_routes_follow_it(
    behind: str, lags: dict[str, int], waiting: int
) -> None:
    # given
    async def found() -> dict[str, int]:
        return lags | {"process": 2}

    project = SimpleNamespace(
        revision="r", sources={}, routes={name: SimpleNamespace(connector="erp") for name in lags}
    )
    states = {name: {"breaker": "closed", "behind": name in behind} for name in lags}
    desk: Any = SimpleNamespace(project=project, journal=SqlJournal("sqlite://"), lags=found, states=lambda: states)
    # when
    overview = asyncio.run(show_overview(desk))
    # then
    assert (overview["waiting"], overview["lag"]) == (waiting, 2)
