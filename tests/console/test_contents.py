"""What an event said is shown as it came, as it was made and as it was sent, and what is personal only on demand."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from crossdock.kernel.event import STRUCTURED
from crossdock.kernel.stream import VERSION, Record
from tests import smallproject
from tests.console.deskmade import TOKEN, Office, office

PERSONAL = {"type": "string", "x-crossdock-personal": True}
FORM = """\
map: |
  {"site": location, "who": "card " & customer, "lines": $count(lines)}
"""
RECEIVED = {"store": "0042", "receipt": "7", "lines": [], "customer": "Ada"}
SOLD = {"location": "STORE-0042", "lines": [{"item": "TEA"}], "customer": "Ada"}


def changes() -> dict[str, str | None]:
    """Return a minor version of both types with the name of the customer, and a map for the target."""
    files = smallproject.edited(smallproject.STOCK, "    to: erp\n", "    to: erp\n    map: erp_stock\n")
    files["transforms/targets/erp_stock.yaml"] = FORM
    for type_, schema in (("pos.sale", smallproject.SALE), ("inventory.sold", smallproject.SOLD)):
        named = {"$id": f"crossdock:/{type_}/1.1", "title": type_, "description": "for a test"}
        fields: dict[str, Any] = {**schema["properties"], "customer": PERSONAL}  # type: ignore[dict-item]
        files[f"schemas/{type_}/1.1.json"] = json.dumps({**named, **schema, "properties": fields})
    return files


async def fill(made: Office) -> None:
    head = {"specversion": "1.0", "id": "s-1", "source": "/till/1"}
    raw = {**head, "type": "pos.sale", "data": RECEIVED}
    sold = {**head, "type": "inventory.sold", "dataschema": "crossdock:/inventory.sold/1.1", "data": SOLD}
    odd = {**head, "type": "nobody.knows", "data": RECEIVED}
    kinds = {"content-type": STRUCTURED, VERSION: "1.1"}
    await made.streams.append(Record("raw.stores.tills", json.dumps(raw).encode(), "a", kinds))
    await made.streams.append(Record("event.inventory.sold", json.dumps(sold).encode(), "b", {}))
    await made.streams.append(Record("raw.stores.tills", json.dumps(odd).encode(), "c", kinds))
    await made.streams.append(Record("raw.stores.tills", b"\xff\x00", "d", kinds))


def asked(folder: Path, *paths: str) -> tuple[list[tuple[int, Any]], list[tuple[str, str, Any]]]:
    """Return the answers, and what the audit log says afterwards."""

    async def scenario() -> tuple[list[tuple[int, Any]], list[tuple[str, str, Any]]]:
        async with office(folder, changes()) as made:
            await fill(made)
            found = [await made_get(made, path) for path in paths]
            _, log = await made_get(made, "audit")
            return found, [(one["act"], one["on"], one["detail"]) for one in log["items"]]

    return asyncio.run(scenario())


async def made_get(made: Office, path: str) -> tuple[int, Any]:
    head = {"authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession(headers=head) as session, session.get(f"{made.url}/ops/v1/{path}") as answer:
        return answer.status, await answer.json()


def test_personal_fields_are_masked_as_received_as_made_and_as_sent(tmp_path: Path) -> None:
    paths = ("contents/received/1", "contents/canonical/2", "contents/sent/2?route=stock&revision=elsewhere")
    (received, canonical, sent), log = asked(tmp_path, *paths)
    assert received == (200, {**received[1], "data": RECEIVED | {"customer": "***"}, "masked": True})
    assert canonical == (200, {**canonical[1], "data": SOLD | {"customer": "***"}, "masked": True})
    assert sent[1]["data"] == {"site": "STORE-0042", "who": "***", "lines": 1}
    assert (sent[1]["route"], sent[1]["connector"], sent[1]["as_it_was"]) == ("stock", "erp", False)
    assert log == []


def test_what_is_personal_is_shown_for_a_reason_that_the_audit_log_keeps(tmp_path: Path) -> None:
    ((status, found),), log = asked(tmp_path, "contents/received/1?reveal=complaint%2012")
    assert (status, found["data"], found["masked"]) == (200, RECEIVED, False)
    assert log == [("content.reveal", "received 1", {"reason": "complaint 12"})]


def test_nothing_is_shown_of_what_no_schema_describes(tmp_path: Path) -> None:
    ((status, found),), _ = asked(tmp_path, "contents/received/3")
    assert (status, found["data"], found["masked"]) == (200, "***", True)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("contents/received/99", 404),
        ("contents/received/4", 422),
        ("contents/sent/2?route=nobody", 404),
        ("contents/other/1", 422),
    ],
)
def test_what_cannot_be_shown_is_refused_with_why(tmp_path: Path, path: str, status: int) -> None:
    ((found, answer),), _ = asked(tmp_path, path)
    assert found == status
    assert answer["detail"]


def test_an_event_is_searched_for_and_a_hop_links_to_its_content(tmp_path: Path) -> None:
    (page, wrong, mixed, journey), _ = asked(
        tmp_path,
        "events?key=0042%2F7&from=2026-01-01",
        "events?outcome=nonsense",
        "events?key=x&after=5.1",
        "events/0042%2F7",
    )
    (item,) = page[1]["items"]
    assert (page[0], item["key"], item["outcome"], page[1]["next"]) == (200, "0042/7", "routed", "")
    assert (wrong[0], mixed[0]) == (422, 422)
    links = [hop["links"] for hop in journey[1]["hops"]]
    assert links[0] == {"received": "/ops/v1/contents/received/1"}
    assert links[-2]["sent"].startswith("/ops/v1/contents/sent/1?route=stock")
