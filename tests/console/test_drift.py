"""`/ops/v1/drift`: findings, what people say of them, and schemas that would allow what came."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from crossdock.kernel.stream import DIGEST, VERSION, Record
from tests.console.opsmade import Office, office

LINE = {"gtin": "1", "qty": 2}


def scene(tmp_path: Path, act: Callable[[Office], Awaitable[None]]) -> None:
    async def scenario() -> None:
        await act(office(tmp_path))

    asyncio.run(scenario())


async def came(made: Office, *more: dict[str, Any]) -> None:
    """Let sales come whose lines have more than the schema names."""
    for one in more:
        name = f"e{len(made.streams.records)}"
        data = {"store": "0042", "receipt": "7", "lines": [LINE | one]}
        event = {"specversion": "1.0", "id": name, "source": "/till/1", "type": "pos.sale", "data": data}
        kept = {"content-type": "application/cloudevents+json", VERSION: "1.0", DIGEST: "x"}
        await made.streams.append(Record("raw.stores.tills", json.dumps(event).encode(), name, kept))
    await made.drifts.look()


async def listed(made: Office, query: str = "") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await made.call("GET", f"/ops/v1/drift{query}")).json()["items"]
    return items


def refused(made: Office, **data: Any) -> None:
    """Let the gateway tell of an event that it refused."""
    made.drifts.refused({"source": "tills", "type": "pos.sale", "version": "1.0", "id": "r-1", "data": data})


def test_a_finding_says_what_came_where_how_often_and_in_which_event(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        await came(made, {}, {"colour": "red"}, {"colour": None})
        (found,) = await listed(made)
        assert {name: found[name] for name in ("partner", "source", "type", "version", "kind", "pointer")} == {
            "partner": "stores", "source": "tills", "type": "pos.sale", "version": "1.0", "kind": "unknown_field",
            "pointer": "/lines/*/colour",
        }  # fmt: skip
        assert (found["count"], found["of"], found["share"], found["sample"]) == (2, 3, 0.6667, "e2")
        assert (found["breaks"], found["early"], found["state"], found["usual"]) == (
            False,
            True,
            "open",
            ["string", "null"],
        )
        answer = (await made.call("GET", "/ops/v1/drift")).json()
        (watched,) = [one for one in answer["watched"] if one["source"] == "tills"]
        assert (watched["seen"], watched["looked_at"]) == (3, 3)
        assert "red" not in json.dumps(answer)

    scene(tmp_path, act)


def test_findings_are_chosen_by_what_they_are(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        await came(made, {"colour": "red"})
        refused(made, store=None, receipt="7", lines=[])
        for query, kinds in (
            ("", {"unknown_field", "null"}), ("?kind=null", {"null"}), ("?source=tills&state=open&kind=null", {"null"}),
            ("?partner=nobody", set()), ("?type=pos.return", set()), ("?state=settled", set()),
        ):  # fmt: skip
            assert {one["kind"] for one in await listed(made, query)} == kinds, query
        assert (await made.call("GET", "/ops/v1/drift?kind=odd")).status == 422

    scene(tmp_path, act)


def test_what_people_say_of_a_finding_is_kept_and_noted_and_it_comes_back_when_it_is_seen_after(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        await came(made, {"colour": "red"})
        (found,) = await listed(made)
        path = f"/ops/v1/drift/{found['id']}"
        # when
        said = {"state": "resolved", "owner": "ann", "note": "they stop tomorrow"}
        done = (await made.call("PATCH", path, said)).json()
        # then
        assert (done["state"], done["owner"], done["notes"][0]["text"]) == ("resolved", "ann", "they stop tomorrow")
        (noted,) = (await made.call("GET", "/ops/v1/audit?act=drift.change")).json()["items"]
        assert (noted["on"], noted["detail"]["state"]) == (found["id"], "resolved")
        # but
        await asyncio.sleep(0.01)
        await came(made, {"colour": "red"})
        again = (await made.call("GET", path)).json()
        assert (again["state"], again["regressed"]) == ("open", True)
        await made.call("PATCH", path, {"state": "ignored"})
        await came(made, {"colour": "red"})
        assert [one["state"] for one in await listed(made)] == ["ignored"]

    scene(tmp_path, act)


def test_what_is_ignored_opens_again_when_something_else_comes_at_the_same_place(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        await came(made, *[{}] * 99)
        await came(made, *[{}] * 21, {"gtin": "2"})
        (found,) = await listed(made)
        assert (found["kind"], found["values"], found["usual"]) == ("new_value", ["2"], ["1"])
        await made.call("PATCH", f"/ops/v1/drift/{found['id']}", {"state": "ignored"})
        await asyncio.sleep(0.01)
        await came(made, {"gtin": "2"})
        assert [one["state"] for one in await listed(made)] == ["ignored"]
        await came(made, {"gtin": "3"})
        assert [(one["state"], one["values"]) for one in await listed(made)] == [("open", ["2", "3"])]

    scene(tmp_path, act)


def test_a_proposal_is_shown_for_findings_together_and_refused_with_the_reason(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        refused(made, store="0042", receipt="7", lines=[], till=1)
        refused(made, store="0042", receipt=None, lines=[])
        refused(made, receipt="7", lines=[])
        by_kind = {one["kind"]: one["id"] for one in await listed(made)}
        first, second, rule = (by_kind[kind] for kind in ("unknown_field", "null", "rule"))
        made_up = (await made.call("GET", f"/ops/v1/drift/{first}/proposal?also={second}")).json()
        assert (made_up["file"], made_up["base"]) == ("schemas/pos.sale/1.1.json", "1.0")
        assert [one["pointer"] for one in made_up["changes"]] == ["/properties/receipt/type", "/properties/till"]
        assert made_up["schema"]["$id"] == "crossdock:/pos.sale/1.1"
        answer = await made.call("GET", f"/ops/v1/drift/{rule}/proposal")
        assert (answer.status, "a rule of its schema is broken" in answer.json()["detail"]) == (422, True)
        assert "nothing_to_widen" not in answer.json()["detail"]
        assert (await made.call("GET", "/ops/v1/drift/dr-none/proposal")).status == 404

    scene(tmp_path, act)


def test_what_nobody_knows_or_says_is_refused(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        await came(made, {"colour": "red"})
        (found,) = await listed(made)
        for path, said, status in (
            ("dr-none", {"state": "open"}, 404), (found["id"], {}, 422), (found["id"], {"state": "settled"}, 422),
        ):  # fmt: skip
            assert (await made.call("PATCH", f"/ops/v1/drift/{path}", said)).status == status
        assert (await made.call("GET", "/ops/v1/drift/dr-none")).status == 404
        assert time.time() * 1000 - found["last_seen"] < 60_000

    scene(tmp_path, act)
