"""A dead letter is changed by a patch: tried dry, then sent in the place of the original, which stays as it was."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from console import edits
from console.replays import letter_of
from crossdock.kernel import jsontext
from crossdock.kernel.event import encode_structured
from crossdock.kernel.stream import DEAD_LETTER, EDIT, ORIGIN, QUARANTINED, VERSION
from journal import entry
from tests.console.letterscene import AT_PROCESS, AT_TARGET, EXACT, NAME, RAW_EVENT, Scene, event_of, played

RIGHT_ITEM = [{"op": "replace", "path": "/data/lines/0/gtin", "value": "1"}]
NO_TILL = [{"op": "remove", "path": "/data/till"}]


def test_a_dry_run_shows_the_document_the_difference_and_what_would_be_sent(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        answer = await scene.patch(AT_PROCESS, RIGHT_ITEM, dry_run=True)
        found = answer.json()
        assert (answer.status, found["outcome"], found["problems"]) == (200, "routed", [])
        assert found["changes"] == [{"pointer": "/data/lines/0/gtin", "before": "99", "after": "1"}]
        assert found["document"]["data"]["lines"][0]["gtin"] == "1"
        (request,) = found["requests"]
        assert (request["route"], request["body"]["site"]) == ("stock", "STORE-0042")
        assert NAME not in answer.body.decode()
        assert (scene.sent(), scene.noted(), await scene.acts()) == ([], [], [])

    played(tmp_path, act)


@pytest.mark.parametrize("place", ["/data/receipt", "/subject"])
def test_a_dry_run_covers_what_is_personal_wherever_a_patch_puts_it(tmp_path: Path, place: str) -> None:
    async def act(scene: Scene) -> None:
        copied = [*RIGHT_ITEM, {"op": "copy", "from": "/data/customer", "path": place}]
        answer = await scene.patch(AT_PROCESS, copied, dry_run=True)
        assert (answer.status, place in answer.body.decode(), NAME in answer.body.decode()) == (200, True, False)

    played(tmp_path, act)


def test_a_dry_run_covers_an_event_that_no_schema_described_before_the_patch(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        of_old = RAW_EVENT._replace(dataschema="crossdock:/pos.sale/9.9")
        headers = {key: value for key, value in scene.letters[7].headers.items() if key != VERSION}
        scene.letters[7] = replace(scene.letters[7], payload=encode_structured(of_old), headers=headers)
        patch = [*RIGHT_ITEM, {"op": "replace", "path": "/dataschema", "value": RAW_EVENT.dataschema}]
        answer = await scene.patch(AT_PROCESS, patch, dry_run=True)
        (request,) = answer.json()["requests"]
        assert (request["body"]["site"], NAME in answer.body.decode()) == ("STORE-0042", False)

    played(tmp_path, act)


def test_a_raw_event_goes_through_again_as_it_was_made_and_is_checked_again(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        before = scene.letters[7]
        done = (await scene.patch(AT_PROCESS, RIGHT_ITEM)).json()
        assert (done["id"], done["event_id"], done["outcome"]) == (AT_PROCESS, "s-1", "sent")
        (copy,) = scene.sent()
        assert (copy.subject, copy.headers[ORIGIN], copy.headers[DEAD_LETTER]) == ("raw.stores.tills", "1", AT_PROCESS)
        assert (copy.headers[EDIT], QUARANTINED in copy.headers) == (done["edit"], True)
        event: Any = event_of(copy)
        assert (event.id, event.data["lines"][0]["gtin"], event.data["customer"]) == ("s-1", "1", NAME)
        assert scene.letters[7] is before  # nothing is changed that was stored

    played(tmp_path, act)


def test_a_delivery_goes_again_to_its_route_alone_with_its_numbers_as_they_are(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        done = await scene.patch(AT_TARGET, [{"op": "add", "path": "/data/weight", "value": 0.1}])
        assert done.json()["outcome"] == "sent"
        (copy,) = scene.sent()
        assert (copy.subject, copy.headers[ORIGIN]) == ("replay.stock", "2")
        data: Any = event_of(copy).data
        assert (data["till"], data["weight"]) == (EXACT, 0.1)

    played(tmp_path, act)


def test_journal_and_audit_log_say_who_changed_what_and_why_but_nothing_personal(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        patch = [*NO_TILL, {"op": "replace", "path": "/data/customer", "value": "Grace Hopper"}]
        done = (await scene.patch(AT_TARGET, patch)).json()
        (line,) = scene.noted()
        assert (line.outcome, line.dead_letter, line.raw, line.seq, line.who) == ("replayed", AT_TARGET, 1, 2, "ann")
        assert line.detail.startswith(f'{done["edit"]}: wrong till; [{{"op":"remove","path":"/data/till"}}')
        (noted,) = await scene.acts()
        assert (noted.who, noted.act, noted.on) == ("ann", "letter.edit", AT_TARGET)
        assert noted.detail["why"] == "wrong till" and "/data/customer" in noted.detail["patch"]
        for told in (line.detail, str(noted.detail)):
            assert "Grace" not in told and '"***"' in told

    played(tmp_path, act)


def test_what_is_sent_once_is_not_sent_twice(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        assert (await scene.patch(AT_TARGET, NO_TILL)).json()["outcome"] == "sent"
        scene.journal.project(scene.noted(), 2)
        again = await scene.patch(AT_TARGET, NO_TILL)
        assert (again.status, "replaying" in again.json()["detail"]) == (409, True)
        keys = {record.key for record in scene.sent()}
        assert keys == {f"{AT_TARGET}/1"}  # that of a replay without an edit too, so the broker takes one of them

    played(tmp_path, act)


def test_an_edit_that_comes_just_after_a_replay_is_not_told_as_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(scene: Scene) -> None:
        state = await letter_of(scene.desk, AT_TARGET)
        await scene.call("bob", "POST", "replays", {"ids": [AT_TARGET]})
        scene.journal.project(scene.noted(), 2)

        async def a_moment_ago(*_: Any) -> Any:
            return state

        monkeypatch.setattr(edits, "letter_of", a_moment_ago)
        assert (await scene.patch(AT_TARGET, NO_TILL)).json()["reason"] == "another replay of it is under way"
        (copy,) = scene.sent()
        assert EDIT not in copy.headers

    played(tmp_path, act)


@pytest.mark.parametrize(
    ("letter", "patch", "code", "pointer"),
    [
        (AT_PROCESS, [{"op": "remove", "path": "/data/store"}], "schema_violation", "/store"),
        (AT_PROCESS, [{"op": "replace", "path": "/type", "value": "pos.return"}], "patch_fixed", "/type"),
        (AT_PROCESS, [{"op": "remove", "path": "/id"}], "invalid_envelope", "/id"),
        (AT_PROCESS, [{"op": "replace", "path": "/data/nothing", "value": 1}], "patch_failed", "/data/nothing"),
        (AT_PROCESS, [{"op": "replace", "path": "", "value": 1}], "patch_failed", ""),
        (AT_PROCESS, [{"op": "add", "path": "data"}], "bad_patch", "/0/path"),
        (AT_TARGET, [{"op": "remove", "path": "/data/location"}], "canonical_invalid", "/location"),
        (AT_TARGET, [{"op": "replace", "path": "/id", "value": "s-2"}], "patch_fixed", "/id"),
        (AT_TARGET, [{"op": "add", "path": "/partner", "value": "others"}], "patch_fixed", "/partner"),
    ],
)
def test_an_edit_that_cannot_be_is_refused_and_nothing_is_sent(
    tmp_path: Path, letter: str, patch: Any, code: str, pointer: str
) -> None:
    async def act(scene: Scene) -> None:
        for dry in (True, False):
            answer = await scene.patch(letter, patch, dry_run=dry)
            found = [(one["code"], one["pointer"]) for one in answer.json()["problems"]]
            assert (answer.status, (code, pointer) in found) == (422, True), answer.body
        assert (scene.sent(), scene.noted()) == ([], [])
        assert {one.act for one in await scene.acts()} <= {"letter.try"}

    played(tmp_path, act)


def test_a_test_in_a_patch_stands_for_what_a_person_has_seen(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        patch = [{"op": "test", "path": "/data/customer", "value": "somebody"}, *NO_TILL]
        answer = await scene.patch(AT_TARGET, patch)
        assert (answer.status, answer.json()["problems"][0]["code"]) == (422, "patch_failed")
        assert NAME not in answer.body.decode()

    played(tmp_path, act)


@pytest.mark.parametrize("version", ["1.1", "9.9"])
def test_a_refusal_quotes_no_personal_value_of_the_event_or_of_the_patch(tmp_path: Path, version: str) -> None:
    async def act(scene: Scene) -> None:
        # given
        headers = {key: value for key, value in scene.letters[7].headers.items() if key != VERSION}
        stored = encode_structured(RAW_EVENT._replace(dataschema=f"crossdock:/pos.sale/{version}"))
        scene.letters[7] = replace(scene.letters[7], payload=stored, headers=headers)
        patch = [
            {"op": "copy", "from": "/data/customer", "path": "/data/lines"},
            {"op": "add", "path": "/data/store", "value": {"of": ["Grace Hopper"]}},
            {"op": "add", "path": "/data/customer", "value": ["Grace Hopper"]},
        ]
        # when
        answer = await scene.patch(AT_PROCESS, patch)
        # then
        assert (answer.status, "***" in answer.body.decode() or version == "9.9") == (422, True)
        assert NAME not in answer.body.decode() and "Grace" not in answer.body.decode()

    played(tmp_path, act)


def test_a_number_that_could_not_be_kept_is_refused(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        body = b'{"why":"x","patch":[{"op":"add","path":"/data/n","value":0.1000000000000000055511151231257827}]}'
        answer = await scene.call("ann", "POST", f"dead-letters/{AT_TARGET}/edit", body)
        assert (answer.status, "number_not_exact" in answer.json()["detail"]) == (422, True)

    played(tmp_path, act)


def test_only_operators_edit_and_only_with_a_reason(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        assert (await scene.patch(AT_TARGET, NO_TILL, who="vera")).status == 403
        assert (await scene.call("vera", "GET", f"dead-letters/{AT_TARGET}/document")).status == 403
        assert (await scene.patch(AT_TARGET, NO_TILL, why="")).status == 422
        assert (await scene.patch("dl-9", NO_TILL)).status == 404
        assert scene.sent() == []

    played(tmp_path, act)


def test_the_document_that_a_patch_is_for_is_covered_until_somebody_says_why(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        path = f"dead-letters/{AT_PROCESS}/document"
        covered = (await scene.call("ann", "GET", path)).json()["document"]
        assert (covered["type"], covered["data"]["customer"], covered["data"]["store"]) == ("pos.sale", "***", "0042")
        whole = jsontext.loads((await scene.call("ann", "GET", f"{path}?reveal=fix")).body)["document"]
        assert whole["data"]["customer"] == NAME
        assert [one.act for one in await scene.acts()] == ["content.reveal"]

    played(tmp_path, act)


def test_an_edited_dead_letter_that_fails_again_shows_the_event_as_it_came(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.patch(AT_PROCESS, RIGHT_ITEM)
        (copy,) = scene.sent()
        scene.letters[7] = replace(scene.letters[7], payload=copy.payload, headers=dict(copy.headers), seq=4)
        found = (await scene.call("ann", "GET", f"dead-letters/{AT_PROCESS}?reveal=x")).json()
        assert found["edit"] == copy.headers[EDIT]
        assert found["parsed"]["data"]["lines"][0]["gtin"] == "99"
        assert found["original"]["seq"] == 1
        assert entry.SUBJECT not in [record.subject for record in scene.sent()]

    played(tmp_path, act)
