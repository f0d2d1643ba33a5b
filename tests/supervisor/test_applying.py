"""Content that is put in force: what is remembered of removed routes, and what is said when the check itself breaks."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from crossdock import checking
from crossdock.bundle import Bundle, pack
from crossdock.inforce import InForce
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Refused
from crossdock.supervisor import applying
from crossdock.supervisor.applying import Applying
from tests.smallproject import ENV, FILES, STOCK, write

TWO = FILES[STOCK] + FILES[STOCK].replace("routes:\n", "").replace("stock", "second")


class Kept:
    """What an installation keeps, in memory; `known` is the record by which all processes work."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundles = {bundle.revision: bundle}
        self.now = InForce(bundle.revision, 0, number=1)
        self.fed = frozenset({"stock", "second"})
        self.rejection: Any = None

    async def force(self) -> InForce:
        return self.now

    async def bundle(self, revision: str) -> Bundle | None:
        return self.bundles.get(revision)

    async def store(self, bundle: Bundle) -> None:
        self.bundles[bundle.revision] = bundle

    async def put_in_force(self, force: InForce) -> InForce:
        self.now = replace(force, number=self.now.number + 1)
        return self.now

    async def forget(self, kept: Iterable[str]) -> None:
        self.bundles = {revision: self.bundles[revision] for revision in kept}

    async def reject(self, document: Any) -> None:
        self.rejection = document

    async def runs(self, name: str) -> int:
        return 0

    async def carried(self) -> frozenset[str]:
        return self.fed

    async def newest(self) -> int:
        return 100

    async def waiting(self, route: str) -> int:
        return 0  # it follows the feed, and has no consumer of its own


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "TOOK_OVER_WITHIN", 0.0)


def content(root: Path, routes: str, number: int) -> Bundle:
    return pack(write(root / str(number), {STOCK: routes + "#" * number + "\n"}))


def test_the_word_for_a_removed_route_stays_until_every_worker_has_heard_it(tmp_path: Path) -> None:
    kept = Kept(content(tmp_path, TWO, 0))
    apply = Applying(cast(Any, kept), ENV, Metrics(), dict).apply

    async def scenario() -> None:
        # given a route that was removed, which its worker, just being started again, does not know yet
        await apply(content(tmp_path, FILES[STOCK], 1).encode(), "discard")
        # when content is applied again
        await apply(content(tmp_path, FILES[STOCK], 2).encode(), None)
        # then
        assert {name: one.word for name, one in kept.now.leaving.items()} == {"second": "discard"}
        with pytest.raises(Refused, match="route_is_leaving"):
            await apply(content(tmp_path, TWO, 3).encode(), None)
        # and when it knows it, and nothing is left
        kept.fed = frozenset({"stock"})
        await apply(content(tmp_path, FILES[STOCK], 4).encode(), None)
        assert kept.now.leaving == {}

    asyncio.run(scenario())


def test_a_check_that_breaks_is_a_rejection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, metrics = Kept(content(tmp_path, TWO, 0)), Metrics()

    def breaks(*_: object) -> None:
        raise ValueError("odd")

    monkeypatch.setattr(checking, "check", breaks)
    with pytest.raises(Refused, match="ValueError: odd"):
        asyncio.run(Applying(cast(Any, kept), ENV, metrics, dict).apply(pack(tmp_path / "0").encode(), None))
    assert kept.rejection["problems"][0]["code"] == "check_failed"
    assert kept.now.number == 1


def test_an_archive_without_files_is_refused_and_what_was_in_force_goes_on(tmp_path: Path) -> None:
    kept = Kept(content(tmp_path, TWO, 0))
    with pytest.raises(Refused, match="no_content"):
        asyncio.run(Applying(cast(Any, kept), ENV, Metrics(), dict).apply(Bundle({}).encode(), "discard"))
    assert kept.rejection["problems"][0]["code"] == "no_content"
    assert kept.now.number == 1
