"""`/ops/v1/content`: putting content in force, and what is told of it."""

import asyncio
from pathlib import Path

import pytest
from fastapi import FastAPI

from console import content
from console.access import gate
from console.content import add_content
from console.door import Door
from crossdock.adapters.memoryaudit import MemoryAudit
from crossdock.bundle import Bundle, pack
from crossdock.kernel.problems import Problem
from dlq.audit import Audit
from tests.asgi import Answer, call
from tests.console.accessmade import open_access
from tests.console.office import OpenOffice
from tests.smallproject import write

BROKEN = Problem("unknown_key", "'tpe' is not known here", "did you mean type?", "routes/stock.yaml", 3, 5)


def asked(office: OpenOffice, method: str, body: bytes = b"", query: str = "", token: str = "t") -> Answer:
    app = FastAPI()
    add_content(app, office, Audit(MemoryAudit()), gate)
    app.add_middleware(Door, access=open_access("t"))
    headers = {"authorization": f"Bearer {token}"}
    return asyncio.run(call(app, method, f"/ops/v1/content{query}", headers, body))


def test_good_content_goes_live(tmp_path: Path) -> None:
    office, packed = OpenOffice(), pack(write(tmp_path))
    answer = asked(office, "PUT", packed.encode())
    assert (answer.status, answer.json()) == (200, {"revision": packed.revision, "changed": True, "waiting": []})
    assert asked(office, "GET").json()["revision"] == packed.revision


def test_broken_content_is_answered_with_every_problem() -> None:
    office = OpenOffice([BROKEN])
    answer = asked(office, "PUT", Bundle({}).encode(), query="?removed=drain")
    assert (answer.status, answer.json()["problems"]) == (422, [BROKEN.as_dict()])
    assert office.words == ["drain"]


def test_a_word_that_is_none_is_refused() -> None:
    assert asked(OpenOffice(), "PUT", query="?removed=keep").status == 422


@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_nobody_without_the_token_changes_or_sees_anything(method: str) -> None:
    assert asked(OpenOffice(), method, token="other").status == 401


def test_a_body_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "MOST_BYTES", 10)
    office = OpenOffice()
    assert asked(office, "PUT", b"x" * 11).status == 413
    assert office.words == []
