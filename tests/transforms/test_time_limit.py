"""An architect's Python has a limited time, in the main thread (workers, commands) as in others (`apply`)."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from crossdock.pipeline import work
from tests.pipeline.scene import ProcessScene
from tests.smallproject import refused, sale
from tests.transforms.test_python_maps import with_function
from transforms import python
from transforms.timelimit import TookTooLong, within

T = TypeVar("T")
Place = Callable[[Callable[[], T]], T]

LOOP = "while data['store'] == '0666':\n        pass\n    return {'location': data['store'], 'lines': data['lines']}"
ENDLESS = {
    "a loop": "while True: pass",
    "a loop that takes each Exception": "while True:\n    try: int('x')\n    except Exception: pass",
    "a loop that takes everything once": "try:\n    while True: pass\nexcept: pass\nwhile True: pass",
    "what waits": "import time; time.sleep(60)",
}


def here(call: Callable[[], T]) -> T:
    return call()


def elsewhere(call: Callable[[], T]) -> T:
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(call).result()


@pytest.fixture(params=[here, elsewhere], ids=["main-thread", "another-thread"])
def place(request: pytest.FixtureRequest) -> Place[object]:
    chosen: Place[object] = request.param
    return chosen


@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS.keys())
def test_what_does_not_end_is_ended(place: Place[object], text: str) -> None:
    began = time.monotonic()
    with pytest.raises(TookTooLong):
        place(lambda: within(0.05, lambda: exec(text, {})))
    assert time.monotonic() - began < 10


def test_what_ends_gives_its_value_or_its_error(place: Place[object]) -> None:
    assert place(lambda: within(60, lambda: 1)) == 1
    with pytest.raises(ZeroDivisionError):
        place(lambda: within(60, lambda: 1 / 0))


def test_no_time_limit_goes_on_after_the_call(place: Place[object]) -> None:
    place(lambda: within(0.05, lambda: 1))
    until = time.monotonic() + 0.2
    while time.monotonic() < until:
        pass


def test_an_event_that_a_function_never_returns_for_is_a_dead_letter_and_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(python, "CALL_LIMIT", 0.1)

    async def scenario() -> None:
        # given
        scene = ProcessScene(tmp_path, with_function(f"def normalise(data, event):\n    {LOOP}\n"))
        evil = sale(id="evil", data={"store": "0666", "receipt": "7", "lines": [{"gtin": "1", "qty": 1}]})
        # when
        await scene.run([await scene.store(evil), await scene.store(sale("1"))])
        # then
        (letter,) = scene.letters()
        assert letter.reason == "transform_failed"
        assert letter.detail.startswith("carriers.normalise took longer than 0.1 s (transforms/carriers.py:")
        assert len(scene.under("event.")) == 1

    asyncio.run(scenario())


def test_a_batch_of_slow_events_stays_in_hand_and_a_quick_one_asks_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(python, "CALL_LIMIT", 0.1)
    monkeypatch.setattr(work, "HOLD_EVERY", 0.05)

    async def scenario() -> None:
        scene = ProcessScene(tmp_path, with_function("def normalise(data, event):\n    while True: pass\n"))
        await scene.run([await scene.store(sale("1", id=f"s-{number}")) for number in range(3)])
        assert scene.extended == 3

    async def quick() -> None:
        scene = ProcessScene(tmp_path / "quick")
        monkeypatch.setattr(work, "HOLD_EVERY", 60)
        await scene.run([await scene.store(sale("1"))])
        assert scene.extended == 0

    asyncio.run(scenario())
    asyncio.run(quick())


def test_a_module_whose_import_never_ends_is_refused_with_the_line(
    place: Place[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(python, "IMPORT_LIMIT", 0.1)
    problems = place(lambda: refused(tmp_path, with_function("x = 1\n\nwhile True:\n    pass\n")))
    (problem,) = [one for one in problems if one.code == "bad_python"]  # type: ignore[attr-defined]
    assert (problem.file, problem.message) == ("transforms/carriers.py", "its import took longer than 0.1 s")
    assert problem.line in (3, 4)
