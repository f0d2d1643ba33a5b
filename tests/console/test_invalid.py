"""What the operations API says of a request that it cannot take: one sentence, for people and for scripts."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from console.invalid import sentence
from tests.asgi import call
from tests.console.opsmade import DEAD, TOKEN, office

SECRET = "hunter22-hunter22"


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("GET", "dead-letters?state=bogus", None, "state must be open, replaying, resolved or discarded"),
        ("GET", "processes?by=moon", None, "by must be route, type, partner, store, device, channel or carrier"),
        ("GET", "dead-letters?limit=x", None, "limit must be a valid integer"),
        ("GET", "problems?state=bogus", None, "state must be open, acknowledged, resolved or ignored"),
        ("GET", "dead-letters?limit=0", None, "limit must be greater than or equal to 1"),
        ("GET", "dead-letters?colour=red", None, "colour is not known here"),
        ("GET", "dead-letters?state=a&limit=0", None, "discarded; limit must be greater than or equal to 1"),
        ("GET", "dead-letters?after=x", None, "after must match pattern"),
        ("POST", "discards", {"ids": ["dl-1"]}, "reason is missing"),
        (
            "POST",
            "users",
            {"name": "ann", "password": {"x": SECRET}, "role": SECRET},
            "password must be a valid string",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence_without_what_was_sent(
    tmp_path: Path, method: str, path: str, body: Any, said: str
) -> None:
    answer = asyncio.run(office(tmp_path).call(method, f"/ops/v1/{path}", body))
    assert answer.status == 422
    assert said in answer.json()["detail"]
    assert not any(word in answer.json()["detail"] for word in ("literal", "unable"))
    assert SECRET not in answer.body.decode()


def test_a_rule_of_ours_is_said_without_the_words_of_the_library() -> None:
    error = {"type": "value_error", "loc": ("body", "to"), "msg": "Value error, is before from"}
    assert sentence([error]) == "to is before from"


def test_a_body_that_is_no_json_is_called_so(tmp_path: Path) -> None:
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    answer = asyncio.run(call(office(tmp_path).app, "POST", "/ops/v1/discards", headers, b"{"))
    assert (answer.status, answer.json()) == (422, {"detail": "the body is no JSON"})


def test_dead_letters_are_listed_newest_first_page_by_page_and_by_what_they_are(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = office(tmp_path)
        made.journal.project([DEAD._replace(at=90, dead_letter="dl-2", detail="sold out", partner="acme")], 2)

        async def listed(query: str) -> tuple[list[str], str]:
            answer = (await made.call("GET", f"/ops/v1/dead-letters?{query}")).json()
            return [one["id"] for one in answer["items"]], answer["next"]

        first, after = await listed("limit=1")
        assert (first, await listed(f"limit=1&after={after}")) == (["dl-2"], (["dl-1"], ""))
        assert await listed("partner=acme") == await listed("text=SOLD") == (["dl-2"], "")
        assert await listed("text=nothing") == ([], "")
        assert await listed("state=open&route=stock&reason=refused") == (["dl-2", "dl-1"], "")

    asyncio.run(scenario())
