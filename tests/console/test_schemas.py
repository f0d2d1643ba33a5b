"""`/ops/v1/schemas`: versions, how they differ with a proof, who uses them, and what came of them."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from crossdock.kernel.stream import DIGEST, VERSION, Record
from journal import entry
from journal.entry import Entry
from tests.console.opsmade import Office, office
from tests.smallproject import SALE, write_schema

STORE = {"type": "string", "x-crossdock-key": "store"}
LINE = {"type": "object", "properties": {"gtin": {"type": "string", "x-crossdock-key": "gtin"}}}
BUYER = {"type": "string", "x-crossdock-personal": True}
NEWER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "store": STORE, "receipt": {"type": "string"}, "lines": {"type": "array", "items": LINE}, "a/b": BUYER,
    },
    "required": ["store", "receipt", "lines", "a/b"],
}  # fmt: skip


def scene(root: Path, act: Callable[[Office], Awaitable[None]]) -> None:
    """Have two versions of a sale, the second of which wants more than the first said."""
    write_schema(root, "pos.sale", "1.1", NEWER)
    (root / "schemas/pos.sale/schema.yaml").write_text(
        "owner: stores\ncompatibility: none\ndeprecated: {'1.0': send 1.1}\n"
    )

    async def scenario() -> None:
        await act(office(root))

    asyncio.run(scenario())


async def get(made: Office, path: str) -> Any:
    answer = await made.call("GET", f"/ops/v1/schemas{path}")
    assert answer.status == 200, answer.body
    return answer.json()


def test_each_type_says_who_sends_it_and_who_wants_it(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        sold, sale = (await get(made, ""))["items"]
        assert (sale["type"], sale["newest"], sale["owner"], sale["compatibility"]) == (
            "pos.sale",
            "1.1",
            "stores",
            "none",
        )
        assert sale["versions"] == [{"version": "1.0", "deprecated": "send 1.1"}, {"version": "1.1", "deprecated": ""}]
        assert sale["sources"] == [{"source": "tills", "partner": "stores", "pin": ""}]
        assert (sale["seen"], sale["last_seen"], sale["made"], sale["routes"]) == ([], 0, 0, [])
        assert sold["routes"] == [{"route": "stock", "connector": "erp", "major": None}]

    scene(tmp_path, act)


def test_what_came_and_what_was_made_of_it_is_told(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        # given
        data = {"store": "0042", "receipt": "7", "lines": []}
        event = {"specversion": "1.0", "id": "s-9", "source": "/till/1", "type": "pos.sale", "data": data}
        headers = {"content-type": "application/cloudevents+json", VERSION: "1.0", DIGEST: "x"}
        await made.streams.append(Record("raw.stores.tills", json.dumps(event).encode(), "s-9", headers))
        await made.drifts.look()
        first = Entry(int(time.time() * 1000), entry.GATEWAY, entry.ACCEPTED, "stores", "tills", "s-9", raw=90)
        routed = first._replace(stage=entry.PROCESS, outcome=entry.ROUTED, type="inventory.sold", seq=90)
        made.journal.project([first, routed], made.journal.position() + 1)
        # when
        sold, sale = (await get(made, ""))["items"]
        # then
        assert sold["made"] == 1
        (seen,) = sale["seen"]
        assert (seen["source"], seen["version"], seen["looked_at"]) == ("tills", "1.0", 1)
        assert sale["last_seen"] == seen["last_seen"] > 0

    scene(tmp_path, act)


def test_a_version_is_shown_with_its_keys_and_personal_fields_and_its_transforms(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        newest = await get(made, "/pos.sale")
        assert newest["version"] == "1.1"
        assert newest["keys"] == [{"pointer": "/store", "kind": "store"}, {"pointer": "/lines/*/gtin", "kind": "gtin"}]
        assert newest["personal"] == ["/a~1b"]
        assert newest["transforms"] == [{"transform": "sale", "from": "pos.sale@1", "to": "inventory.sold@1"}]
        older = await get(made, "/pos.sale?version=1.0")
        assert older["schema"]["required"] == SALE["required"]

    scene(tmp_path, act)


def test_a_difference_that_breaks_is_proven_by_a_document(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        found = await get(made, "/pos.sale/diff?from=1.0&to=1.1")
        assert (found["backward"], found["broken"]) == (False, [])  # nothing was promised
        breaking = next(one for one in found["changes"] if "backward" in one["breaks"] and one["proven"])
        assert "a/b" not in json.loads(breaking["witness"])
        same = await get(made, "/pos.sale/diff?from=1.1&to=1.1")
        assert (same["backward"], same["forward"], same["changes"]) == (True, True, [])

    scene(tmp_path, act)


def test_a_broken_promise_within_a_major_is_named_and_a_new_major_may_break(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        found = await get(made, "/spare/diff?from=1.1&to=1.0")
        assert (found["compatibility"], found["broken"]) == ("backward_transitive", ["backward"])
        assert (await get(made, "/spare/diff?from=1.1&to=2.0"))["broken"] == []

    sale: dict[str, Any] = dict(SALE)
    till = {**sale, "properties": {**sale["properties"], "till": {"type": "string"}}}
    for version, one in (("1.0", SALE), ("1.1", till), ("2.0", NEWER)):
        write_schema(tmp_path, "spare", version, one)
    scene(tmp_path, act)


def test_what_is_not_known_is_said_with_what_is_near(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        for path, word in (
            ("/pos.sales", "pos.sale"), ("/pos.sale?version=9.9", "known: 1.0, 1.1"), ("/%2E%2E", "no schema"),
            ("/pos.sale/diff?from=1.0&to=7.0", "known: 1.0, 1.1"), ("/nothing/diff?from=1.0&to=1.1", "no schema"),
        ):  # fmt: skip
            answer = await made.call("GET", f"/ops/v1/schemas{path}")
            assert (answer.status, word in answer.json()["detail"]) == (404, True), path
        assert (await made.call("GET", "/ops/v1/schemas/pos.sale/diff?from=1.0")).status == 422

    scene(tmp_path, act)
