"""One dead letter is looked at whole, and what is personal in it is covered wherever it stands."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crossdock.kernel import jsontext
from crossdock.kernel.event import STRUCTURED, encode_structured
from tests.console.letterscene import AT_PROCESS, AT_TARGET, NAME, RAW_EVENT, SALE, SOLD, Scene, changes, played
from tests.smallproject import write


async def shown(scene: Scene, letter: str, reveal: str = "") -> Any:
    who, query = ("ann", f"?reveal={reveal}") if reveal else ("vera", "")
    answer = await scene.call(who, "GET", f"dead-letters/{letter}{query}")
    assert answer.status == 200, answer.body
    return jsontext.loads(answer.body)


def test_a_refused_delivery_is_shown_from_what_came_to_what_was_answered(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        found = await shown(scene, AT_TARGET)
        assert (found["state"], found["route"], found["reason"], found["edit"]) == ("open", "stock", "refused", "")
        assert found["original"]["seq"] == 1
        assert found["parsed"]["type"] == "pos.sale"
        assert found["canonical"]["data"] == {**SOLD, "customer": "***"}
        assert found["sent"] == {"method": "POST", "url": "http://erp/x", "headers": {}, "body": {"who": "***"}}
        assert found["answer"] == {"status": 422, "headers": {"x-request-id": "r-1"}, "body": "no card of ***"}
        assert [(step["outcome"], step["detail"]) for step in found["steps"]] == [
            ("dead_lettered", "HTTP 422: no card of ***")
        ]
        assert found["changes"]["revision"] == "old"

    played(tmp_path, act)


@pytest.mark.parametrize("letter", [AT_PROCESS, AT_TARGET])
def test_no_part_of_it_shows_what_is_personal_before_somebody_says_why(tmp_path: Path, letter: str) -> None:
    async def act(scene: Scene) -> None:
        covered = await shown(scene, letter)
        assert NAME not in str(covered)
        assert (covered["original"]["masked"], covered["parsed"]["data"]["customer"]) == (True, "***")
        assert await scene.acts() == []
        assert (await scene.call("vera", "GET", f"dead-letters/{letter}?reveal=curious")).status == 403
        open_ = await shown(scene, letter, "complaint%2012")
        assert open_["original"]["text"].encode() == encode_structured(RAW_EVENT)
        assert open_["parsed"]["data"] == SALE
        (noted,) = await scene.acts()
        told = (noted.who, noted.act, noted.on, noted.detail)
        assert told == ("ann", "content.reveal", letter, {"reason": "complaint 12"})

    played(tmp_path, act)


def test_an_event_that_no_schema_describes_is_covered_whole(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        odd = RAW_EVENT._replace(type="nobody.knows")
        scene.letters[7] = replace(scene.letters[7], payload=encode_structured(odd))
        found = await shown(scene, AT_PROCESS)
        assert (found["parsed"]["data"], found["original"]["masked"]) == ("***", True)
        assert "0042" not in str(found["original"])

    played(tmp_path, act)


NO_EVENTS: list[tuple[bytes, dict[str, str]]] = [(b"\xff\x00", {"base64": "/wA="}), (b"no json", {"text": "no json"})]


@pytest.mark.parametrize(("payload", "revealed"), NO_EVENTS)
def test_bytes_that_are_no_event_are_shown_on_demand(tmp_path: Path, payload: bytes, revealed: dict[str, str]) -> None:
    async def act(scene: Scene) -> None:
        scene.letters[7] = replace(scene.letters[7], payload=payload, headers={"content-type": STRUCTURED})
        covered = (await shown(scene, AT_PROCESS))["original"]
        assert (covered["text"], covered["bytes"], covered["masked"]) == ("***", len(payload), True)
        open_ = (await shown(scene, AT_PROCESS, "why"))["original"]
        assert revealed.items() <= open_.items()

    played(tmp_path, act)


@pytest.mark.parametrize("letter", [AT_PROCESS, AT_TARGET])
@pytest.mark.parametrize("payload", [b'{"id":"s-1","data":{}}', b"{}", b"[]", b"no json", b""])
def test_one_whose_bytes_are_no_event_any_more_is_shown_all_the_same(
    tmp_path: Path, letter: str, payload: bytes
) -> None:
    async def act(scene: Scene) -> None:
        number = {AT_PROCESS: 7, AT_TARGET: 8}[letter]
        scene.letters[number] = replace(scene.letters[number], payload=payload, headers={"content-type": STRUCTURED})
        found = await shown(scene, letter)
        assert found["problems"] and not found["canonical"]
        assert (await scene.call("ann", "GET", f"dead-letters/{letter}/document")).status == 422
        assert (await scene.patch(letter, [{"op": "remove", "path": "/data"}], dry_run=True)).status == 422
        assert (await scene.call("ann", "POST", f"dead-letters/{letter}/promote", {})).status == 422

    played(tmp_path, act)


def test_a_rule_that_failed_is_shown_with_its_place_in_the_data_and_in_the_content(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        (problem,) = (await shown(scene, AT_PROCESS))["problems"]
        assert (problem["code"], problem["file"], problem["line"]) == ("lookup_missing", "transforms/sale.yaml", 6)

    played(tmp_path, act)


def test_one_past_its_retention_is_told_by_what_the_journal_has(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.letters.clear()
        found = await shown(scene, AT_TARGET)
        assert (found["gone"], found["state"], found["reason"]) == (True, "open", "refused")
        assert (await scene.call("ann", "POST", f"dead-letters/{AT_TARGET}/promote", {})).status == 410
        assert (await scene.call("ann", "GET", "dead-letters/dl-9")).status == 404

    played(tmp_path, act)


@pytest.mark.parametrize("letter", [AT_PROCESS, AT_TARGET])
def test_it_is_promoted_to_a_test_that_holds_no_personal_value(tmp_path: Path, letter: str) -> None:
    async def act(scene: Scene) -> None:
        made = (await scene.call("ann", "POST", f"dead-letters/{letter}/promote", {})).json()
        assert NAME not in made["yaml"] and "Aaa Aaaaaaaa" in made["yaml"]
        assert (made["passes"], made["differences"]) == (True, [])
        assert (await scene.call("vera", "POST", f"dead-letters/{letter}/promote", {})).status == 403
        root = write(tmp_path / "again", {**changes(), made["file"]: made["yaml"]})
        assert root.joinpath(made["file"]).read_text() == made["yaml"]

    played(tmp_path / "first", act)
