"""API keys in the operations API: what may be made, that a key is seen once, and that two live through a roll."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from crossdock.adapters.memory import MemoryKeys, MemoryUses
from crossdock.kernel.apikeys import KeyRecord
from crossdock.kernel.problems import Unavailable
from tests.console.keyoffice import Office

DAY = 86_400_000


class AwayUses(MemoryUses):
    """A store that does not answer."""

    async def last(self) -> dict[str, int]:
        raise Unavailable("away")


def in_office(root: Path, act: Callable[[Office], Awaitable[None]], **parts: Any) -> None:
    async def scenario() -> None:
        await act(Office(root, **parts))

    asyncio.run(scenario())


def refusal(root: Path, wanted: Mapping[str, Any]) -> str:
    made = Office(root)
    answer = asyncio.run(made.call("POST", "", {"partner": "stores", **wanted}))
    assert (answer.status, made.keys.records()) == (422, [])
    return str(answer.json()["detail"])


def test_a_key_is_shown_once_works_and_can_be_revoked(tmp_path: Path) -> None:
    async def act(office: Office) -> None:
        made = await office.make()
        assert list(made)[:3] == ["id", "key", "partner"]
        record = office.holder(made["key"])
        assert record is not None and record.partner == "stores"
        listed = await office.call("GET")
        assert [item["id"] for item in listed.json()["items"]] == [made["id"]]
        assert made["key"].split("_", 2)[2] not in listed.body.decode()
        for text in (listed.body.decode(), json.dumps(made)):
            assert record.digest not in text
        assert (await office.call("DELETE", f"/{made['id']}")).json() == {"id": made["id"], "revoked": True}
        assert office.holder(made["key"]) is None
        assert (await office.call("DELETE", f"/{made['id']}")).status == 404

    in_office(tmp_path, act)


def test_a_key_without_scopes_may_do_all_and_never_ends(tmp_path: Path) -> None:
    async def act(office: Office) -> None:
        made = await office.make()
        assert {name: made[name] for name in ("sources", "types", "status", "expires", "rate", "note")} == {
            "sources": [], "types": [], "status": True, "expires": 0, "rate": 0, "note": "",
        }  # fmt: skip

    in_office(tmp_path, act)


def test_scopes_end_limit_and_note_are_kept(tmp_path: Path) -> None:
    async def act(office: Office) -> None:
        made = await office.make(
            sources=["tills"], types=["pos.sale"], status=False, expires="90d", rate="50/s", note="till 7"
        )
        record = office.holder(made["key"])
        assert record is not None
        assert (record.sources, record.types, record.status) == (("tills",), ("pos.sale",), False)
        assert (record.rate, record.note, record.expires) == (50, "till 7", record.created + 90 * DAY)
        assert office.holder(made["key"], 90 * DAY) is None

    in_office(tmp_path, act)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("2099-12-31", 4_102_358_400_000),
        ("2099-12-31T12:00:00Z", 4_102_401_600_000),
        ("2099-12-31T12:00:00+02:00", 4_102_394_400_000),
    ],
)
def test_a_key_ends_on_a_day_at_midnight_of_utc_or_at_a_time(tmp_path: Path, text: str, end: int) -> None:
    async def act(office: Office) -> None:
        assert (await office.make(expires=text))["expires"] == end

    in_office(tmp_path, act)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"partner": "store"}, "no source belongs to partner store; did you mean stores?"),
        ({"partner": "nobody"}, "known: acme-supplies, stores"),
        ({"partner": ""}, "no source belongs"),
        ({"sources": ["till"]}, "partner stores has no source till that takes API keys; did you mean tills?"),
        ({"sources": ["acme"]}, "partner stores has no source acme that takes API keys; known: handhelds, tills"),
        ({"sources": ["shop"]}, "partner stores has no source shop that takes API keys; known: handhelds, tills"),
        ({"types": ["pos.sales"]}, "no source of this key takes pos.sales; did you mean pos.sale?"),
        ({"sources": ["tills"], "types": ["inventory.sold"]}, "source tills takes none of the types"),
        ({"expires": "2020-01-01"}, "not in the next 100 years"),
        ({"expires": "0s"}, "not in the next 100 years"),
        ({"expires": "9999-12-31"}, "not in the next 100 years"),
        ({"expires": "99999999999999999999999999999999999w"}, "longer than 100 years"),
        ({"expires": "90 days"}, "no duration such as 90d"),
        ({"expires": "90d\n"}, "no duration such as 90d"),
        ({"rate": "0/s"}, "no rate such as 50/s"),
        ({"rate": "50"}, "no rate such as 50/s"),
    ],
)
def test_what_does_not_belong_together_is_said_and_no_key_is_made(
    tmp_path: Path, wanted: dict[str, Any], said: str
) -> None:
    assert said in refusal(tmp_path, wanted)


@pytest.mark.parametrize(
    "wanted",
    [{"partner": 5}, {"partner": "x" * 101}, {"source": ["tills"]}, {"sources": "tills"}, {"note": "x" * 201}],
)
def test_a_scope_that_is_misspelt_or_misshapen_gives_no_key_without_it(tmp_path: Path, wanted: dict[str, Any]) -> None:
    assert refusal(tmp_path, wanted)


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    said = refusal(tmp_path, {"sources": ["till"], "types": ["nope"]})
    assert "no source till" in said and "takes nope" in said


def test_the_list_tells_who_ended_and_when_each_was_used(tmp_path: Path) -> None:
    async def act(office: Office) -> None:
        # given
        used, ended = await office.make(), await office.make()
        old = office.keys.find(ended["id"])
        assert old is not None
        await office.keys.replace(old, KeyRecord(old.id, old.partner, old.digest, old.created, expires=1))
        await office.uses.note({used["id"]: 1_790_000_000_000})
        # when
        items = {item["id"]: item for item in await office.listed()}
        # then
        assert (items[used["id"]]["expired"], items[used["id"]]["last_used"]) == (False, 1_790_000_000_000)
        assert (items[ended["id"]]["expired"], items[ended["id"]]["last_used"]) == (True, 0)

    in_office(tmp_path, act)


def test_keys_are_listed_while_their_last_use_cannot_be_known(tmp_path: Path) -> None:
    async def act(office: Office) -> None:
        await office.make()
        assert [item["last_used"] for item in await office.listed()] == [None]

    in_office(tmp_path, act, uses=AwayUses())


@pytest.mark.parametrize(("body", "overlap"), [(None, DAY), ({}, DAY), ({"overlap": "2h"}, DAY // 12)])
def test_after_a_roll_both_keys_work_until_the_overlap_ends(tmp_path: Path, body: Any, overlap: int) -> None:
    async def act(office: Office) -> None:
        # given
        first = await office.make(sources=["tills"], note="till 7")
        # when
        answer = await office.call("POST", f"/{first['id']}/roll", body)
        # then
        second = answer.json()
        assert (answer.status, list(second)[:3]) == (201, ["id", "key", "partner"])
        assert (second["sources"], second["note"], second["old"]["id"]) == (["tills"], "till 7", first["id"])
        assert second["old"]["expires"] == second["created"] + overlap
        assert office.holder(first["key"]) and office.holder(second["key"])
        assert office.holder(first["key"], overlap) is None
        assert office.holder(second["key"], overlap)
        assert {item["id"]: item["rolled_to"] for item in await office.listed()} == {
            first["id"]: second["id"],
            second["id"]: "",
        }

    in_office(tmp_path, act)


def test_a_roll_without_overlap_ends_the_old_key_at_once(tmp_path: Path) -> None:
    async def act(office: Office) -> None:
        first = await office.make()
        second = (await office.call("POST", f"/{first['id']}/roll", {"overlap": "0s"})).json()
        assert office.holder(first["key"]) is None
        assert office.holder(second["key"])

    in_office(tmp_path, act)


def test_a_key_is_rolled_once_and_only_while_it_is_one(tmp_path: Path) -> None:
    async def act(office: Office) -> None:
        first, ended = await office.make(), await office.make()
        old = office.keys.find(ended["id"])
        assert old is not None
        await office.keys.replace(old, KeyRecord(old.id, old.partner, old.digest, old.created, expires=1))
        second = (await office.call("POST", f"/{first['id']}/roll")).json()
        again = await office.call("POST", f"/{first['id']}/roll")
        assert again.status == 409
        assert again.json()["detail"] == f"key {first['id']} was rolled to {second['id']} already"
        assert (await office.call("POST", f"/{ended['id']}/roll")).status == 409
        assert (await office.call("POST", "/unknown/roll")).status == 404
        for overlap in ("soon", "-1s", "24", "9999999w"):
            assert (await office.call("POST", f"/{second['id']}/roll", {"overlap": overlap})).status == 422
        assert len(office.keys.records()) == 3

    in_office(tmp_path, act)


def test_a_key_revoked_while_it_is_rolled_stays_revoked_and_leaves_no_successor(tmp_path: Path) -> None:
    class Meanwhile(MemoryKeys):
        async def replace(self, old: KeyRecord, new: KeyRecord) -> bool:
            await self.remove(old.id)
            return await super().replace(old, new)

    async def act(office: Office) -> None:
        first = await office.make()
        assert (await office.call("POST", f"/{first['id']}/roll")).status == 409
        assert office.keys.records() == []

    in_office(tmp_path, act, keys=Meanwhile())
