"""Whoever tries a patch on a dead letter learns nothing personal by it that the audit log does not show."""

from pathlib import Path
from typing import Any

import pytest

from tests.console.letterscene import AT_PROCESS, NAME, Scene, played

RIGHT_ITEM = [{"op": "replace", "path": "/data/lines/0/gtin", "value": "1"}]


@pytest.mark.parametrize(
    "patch",
    [
        [{"op": "test", "path": "/data/customer", "value": "Grace Hopper"}],
        [{"op": "test", "path": "/data/customer", "value": NAME}],
        [{"op": "replace", "path": "/data/customer", "value": NAME}],
        [
            {"op": "copy", "from": "/data/customer", "path": "/data/note"},
            {"op": "test", "path": "/data/note", "value": NAME},
        ],
        [{"op": "move", "from": "/data", "path": "/data"}],
    ],
)
@pytest.mark.parametrize("dry", [True, False])
def test_nobody_guesses_a_personal_value_unseen(tmp_path: Path, patch: Any, dry: bool) -> None:
    async def act(scene: Scene) -> None:
        answer = await scene.patch(AT_PROCESS, patch, dry_run=dry)
        (noted,) = await scene.acts()
        sent = not dry and answer.status == 200
        assert (noted.who, noted.act, noted.on) == ("ann", "letter.edit" if sent else "letter.try", AT_PROCESS)
        assert NAME not in answer.body.decode() + str(noted)

    played(tmp_path, act)


@pytest.mark.parametrize("state", [{"why": ""}, {}])
def test_what_cannot_be_sent_is_refused_before_it_is_tried(tmp_path: Path, state: Any) -> None:
    async def act(scene: Scene) -> None:
        if not state:
            assert (await scene.patch(AT_PROCESS, RIGHT_ITEM)).status == 200
            scene.journal.project(scene.noted(), 2)
        asked = [{"op": "test", "path": "/data/customer", "value": value} for value in (NAME, "Grace Hopper")]
        right, wrong = [await scene.patch(AT_PROCESS, [one], **state) for one in asked]
        assert (right.status, right.body) == (wrong.status, wrong.body)
        assert right.status == (422 if state else 409)

    played(tmp_path, act)


def test_a_dry_run_that_has_to_do_with_nothing_personal_is_not_noted(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        assert (await scene.patch(AT_PROCESS, RIGHT_ITEM, dry_run=True)).status == 200
        assert await scene.acts() == []

    played(tmp_path, act)
