"""`/ops/v1/audit`: every act of a person is noted before it is done, and no secret with it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from crossdock.bundle import Bundle
from tests.asgi import call
from tests.console.opsmade import TOKEN, Office, office

BACKFILL = "/ops/v1/routes/stock/backfill"
ACTS = [
    ("POST", "/ops/v1/replays", {"ids": ["dl-1"]}, ["replay"], {"ids": ["dl-1"]}),
    ("POST", "/ops/v1/replays", {"reason": "refused"}, ["replay"], {"ids": ["dl-1"], "reason": "refused"}),
    ("POST", "/ops/v1/replays", {"ids": ["dl-1"], "dry_run": True}, [], {}),
    ("POST", "/ops/v1/discards", {"ids": ["dl-1"], "reason": "by hand"}, ["discard"], {"reason": "by hand"}),
    ("POST", "/ops/v1/routes/stock/pause", None, ["route.pause"], {}),
    ("POST", "/ops/v1/routes/stock/resume", None, ["route.resume"], {}),
    ("POST", "/ops/v1/routes/stok/resume", None, [], {}),
    ("POST", BACKFILL, {"from": "beginning"}, ["backfill.start"], {"from": "beginning", "total": 0}),
    ("POST", BACKFILL, {"dry_run": True}, [], {}),
    ("DELETE", BACKFILL, None, ["backfill.stop"], {}),
    ("POST", "/ops/v1/keys", {"partner": "stores", "note": "till 4"}, ["key.create"], {"note": "till 4"}),
    ("POST", "/ops/v1/keys", {"partner": "nobody"}, [], {}),
    ("DELETE", "/ops/v1/keys/0123456789ab", None, ["key.revoke"], {}),
]


async def entries(made: Office, query: str = "") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await made.call("GET", f"/ops/v1/audit{query}")).json()["items"]
    return items


@pytest.mark.parametrize(("method", "path", "body", "acts", "detail"), ACTS)
def test_an_act_is_noted_with_who_asked_for_what(
    tmp_path: Path, method: str, path: str, body: Any, acts: list[str], detail: dict[str, Any]
) -> None:
    async def scenario() -> None:
        made = office(tmp_path)
        await made.call(method, path, body)
        noted = await entries(made)
        assert [one["act"] for one in noted] == acts
        for one in noted:
            assert (one["who"], one["address"]) == ("token", "127.0.0.1")
            assert one["detail"].items() >= detail.items()

    asyncio.run(scenario())


def test_a_change_of_content_is_noted_with_its_revision(tmp_path: Path) -> None:
    async def scenario() -> None:
        made, bundle = office(tmp_path), Bundle({"routes/a.yaml": b"routes: []\n"})
        headers = {"authorization": f"Bearer {TOKEN}"}
        await call(made.app, "PUT", "/ops/v1/content?removed=drain&by=folder", headers, bundle.encode())
        (one,) = await entries(made)
        told = {"removed": "drain", "by": "folder"}
        assert (one["act"], one["on"], one["detail"]) == ("content.apply", bundle.revision, told)

    asyncio.run(scenario())


def test_the_life_of_a_key_is_noted_and_never_the_key(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = office(tmp_path)
        first = (await made.call("POST", "/ops/v1/keys", {"partner": "stores"})).json()
        second = (await made.call("POST", f"/ops/v1/keys/{first['id']}/roll")).json()
        await made.call("DELETE", f"/ops/v1/keys/{second['id']}")
        noted = await entries(made)
        assert [(one["act"], one["on"]) for one in noted] == [
            ("key.revoke", second["id"]), ("key.roll", first["id"]), ("key.create", first["id"]),
        ]  # fmt: skip
        assert noted[1]["detail"]["successor"] == second["id"]
        text = (await made.call("GET", "/ops/v1/audit")).body.decode()
        for key in (first["key"], second["key"]):
            assert key not in text and key.rsplit("_", 1)[1] not in text

    asyncio.run(scenario())


def test_the_log_is_asked_for_a_part_and_verified(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = office(tmp_path)
        for act in ("pause", "resume", "pause"):
            await made.call("POST", f"/ops/v1/routes/stock/{act}")
        assert [one["number"] for one in await entries(made, "?act=route.pause")] == [3, 1]
        assert [one["number"] for one in await entries(made, "?limit=1&before=3")] == [2]
        assert await entries(made, "?who=ann") == []
        verdict = (await made.call("GET", "/ops/v1/audit/verify")).json()
        assert (verdict["valid"], verdict["entries"], verdict["problems"]) == (True, 3, [])
        verdict = (await made.call("GET", f"/ops/v1/audit/verify?known={'0' * 64}")).json()
        assert (verdict["valid"], verdict["problems"][0]["code"]) == (False, "audit_rewritten")
        seen = (await entries(made))[0]["hash"]
        assert (await made.call("GET", f"/ops/v1/audit/verify?known={seen.upper()}")).json()["valid"]
        refused = await made.call("GET", "/ops/v1/audit/verify?known=deadbeef")
        assert (refused.status, refused.json()) == (422, {"detail": "known: not a hash of 64 hex digits"})

    asyncio.run(scenario())
