"""What the operations API says of a journey, in people's words."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from console.views import show_journey, show_overview
from crossdock.adapters.sql import SqlJournal
from crossdock.kernel.stream import Lag
from journal import entry
from journal.entry import Entry

ROUTED = Entry(2, entry.PROCESS, entry.ROUTED, "stores", "tills", "s-1", "/till/1", "inventory.sold", 1, 5)
SEEN = Entry(3, entry.DELIVER, entry.MATCHED, id="s-1", raw=1, seq=5, detail="feed-0-of-1")

KNOWN: dict[str, Any] = {"ages": {}, "last_ledger": lambda: None}


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
    ("outcome", "attempts", "detail", "sent"),
    [
        (entry.DELIVERED, 0, "HTTP 200", True),
        (entry.RETRIED, 0, "HTTP 503", True),
        (entry.RETRIED, 0, "connect: erp.example:443 (10.0.0.1): [Errno 111] Connection refused", True),
        (entry.DEAD_LETTERED, 1, "HTTP 400: connect: no", True),
        (entry.DEAD_LETTERED, 9, "older than 3d; connect: erp.example: refused", True),
        (entry.DEAD_LETTERED, 0, "the breaker was open, nothing was sent", False),
        (entry.DEAD_LETTERED, 0, "no such field: HTTP 200", False),
        (entry.SKIPPED, 0, "not wanted", False),
        (entry.WAITING, 0, "", False),
    ],
)
def test_what_was_sent_is_offered_where_the_journal_has_an_attempt_whatever_its_words_say(
    outcome: str, attempts: int, detail: str, sent: bool
) -> None:
    # given
    journal = SqlJournal("sqlite://")
    tried = ROUTED._replace(at=4, stage=entry.DELIVER, outcome=outcome, route="erp", attempts=attempts, detail=detail)
    journal.project([ROUTED, tried], 1)
    desk: Any = SimpleNamespace(journal=journal)
    # when
    hop = asyncio.run(show_journey(desk, "s-1"))["hops"][1]
    # then
    assert ("sent" in hop["links"]) is sent


@pytest.mark.parametrize(
    ("lags", "waiting"),
    [
        ({"a": ("feed-0", 7), "b": ("feed-0", 7), "c": ("feed-0", 7)}, 2 + 7),
        ({"a": ("feed-1", 7), "b": ("feed-1", 7), "c": ("feed-2", 7)}, 2 + 7 + 7),
        ({"a": ("feed-0", 7), "b": ("feed-0", 7), "c": ("route-c", 40)}, 2 + 7 + 40),
    ],
)
def test_what_waits_for_a_consumer_counts_once_however_many_routes_share_it(
    lags: dict[str, tuple[str, int]], waiting: int
) -> None:
    # given
    async def found() -> dict[str, Lag]:
        return {"process": Lag("process", 2)} | {name: Lag(*lag) for name, lag in lags.items()}

    project = SimpleNamespace(
        revision="r", sources={}, routes={name: SimpleNamespace(connector="erp") for name in lags}
    )
    states = {name: {"breaker": "closed", "behind": False} for name in lags}
    journal = SqlJournal("sqlite://")
    desk: Any = SimpleNamespace(project=project, journal=journal, lags=found, states=lambda: states, **KNOWN)
    # when
    overview = asyncio.run(show_overview(desk))
    # then
    assert (overview["waiting"], overview["lag"]) == (waiting, 2)


def test_a_source_that_is_polled_says_when_its_connector_is_away() -> None:
    # given
    async def lags() -> dict[str, Lag]:
        return {}

    tills = SimpleNamespace(name="tills", partner="stores", poll=SimpleNamespace(connector="archive"))
    shop = SimpleNamespace(name="shop", partner="shop", poll=None)
    project = SimpleNamespace(revision="r", sources={"tills": tills, "shop": shop}, routes={})
    polls = {"tills": {"last_success": 0, "away": "no such folder"}}
    desk: Any = SimpleNamespace(
        **KNOWN, project=project, journal=SqlJournal("sqlite://"), lags=lags, states=dict, polls=lambda: polls
    )
    # when
    sources = asyncio.run(show_overview(desk))["sources"]
    # then
    assert sources[0]["poll"] == {"connector": "archive", "last_success": 0, "away": "no such folder"}
    assert "poll" not in sources[1]
