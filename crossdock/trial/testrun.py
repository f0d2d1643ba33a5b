"""Runs content tests and says what differs; called by `crossdock test`."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from connectors.showing import Request
from crossdock.contenttest import ContentTest
from crossdock.kernel.problems import Problem
from crossdock.trial.differences import NOTHING, Difference, compare
from crossdock.trial.outcome import DEAD, DUPLICATE, QUARANTINED, REFUSED, Outcome
from crossdock.trial.rehearsal import Rehearsal
from transforms.lookups import given

_ENDS = {REFUSED, QUARANTINED, DEAD, DUPLICATE}
_CANONICAL = ("type", "business_key", "data")
_FAILS = {"outcome", "error", "dead_letters"}  # keys that say that something goes wrong, or may


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one test; it passed when nothing differs."""

    file: str
    line: int
    name: str
    seconds: float
    outcomes: tuple[Outcome, ...]
    differences: tuple[Difference, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "file": self.file,
            "line": self.line,
            "name": self.name,
            "seconds": round(self.seconds, 6),
            "outcomes": [outcome.word for outcome in self.outcomes],
            "differences": [difference.as_dict() | {"message": str(difference)} for difference in self.differences],
        }


def run(rehearsal: Rehearsal, test: ContentTest) -> Result:
    """Run one test against the content."""
    start = time.perf_counter()
    with given(rehearsal.project.lookups, test.lookups):
        outcomes = rehearsal.play(test.given, test.answers)
    seconds = time.perf_counter() - start
    first = test.spot.problem((), "", "")
    return Result(first.file, first.line, test.name, seconds, tuple(outcomes), tuple(_differences(test, outcomes)))


def _differences(test: ContentTest, outcomes: list[Outcome]) -> Iterator[Difference]:
    if len(outcomes) != len(test.expect):
        yield Difference("events", "", len(test.expect), len(outcomes))
    for index, (expect, outcome) in enumerate(zip(test.expect, outcomes, strict=False)):
        before = f"event {index + 1}: " if len(test.expect) > 1 else ""
        for found in _of_event(expect, outcome if test.about is None else _seen_by(test.about, outcome)):
            yield Difference(before + found.what, found.pointer, found.expected, found.got)


def _seen_by(about: frozenset[str], outcome: Outcome) -> Outcome:
    """Leave aside what routes do that a test is not about."""
    sent = tuple(one for one in outcome.sent if one.route in about)
    failures = tuple(one for one in outcome.failures if not one.route or one.route in about)
    return replace(outcome, sent=sent, failures=failures)


def _of_event(expect: Mapping[str, Any], outcome: Outcome) -> Iterator[Difference]:
    if outcome.word in _ENDS and not _FAILS & expect.keys():
        said = "; ".join(map(str, outcome.problems))
        yield Difference("it failed" if said else "outcome", "", NOTHING, said or outcome.word)
        return
    yield from _of_problems(expect, outcome)
    if "outcome" in expect and outcome.word != expect["outcome"]:
        yield Difference("outcome", "", expect["outcome"], outcome.word)
    raw = outcome.raw.attributes() if outcome.raw else {}
    for name, value in expect.get("envelope", {}).items():
        yield from _one(f"envelope {name}", value, raw.get(name))
    yield from _of_canonical(expect, outcome)
    yield from _of_routes(expect, outcome)
    yield from _of_answers(expect, outcome)


def _of_problems(expect: Mapping[str, Any], outcome: Outcome) -> Iterator[Difference]:
    codes = sorted({problem.code for problem in outcome.problems})
    if "error" in expect and expect["error"] not in codes:
        yield Difference("error", "", expect["error"], ", ".join(codes) or NOTHING)
    letters = [letter(one.stage, one.route, p) for one in outcome.failures for p in one.problems[:1]]
    letters = [told for told in letters if told["stage"] != "gateway"]
    if "dead_letters" not in expect:
        if not _FAILS & expect.keys():
            yield from (Difference("dead letter", "", NOTHING, one) for one in letters)
        return
    left = list(letters)
    for wanted in expect["dead_letters"]:
        found = next((one for one in left if wanted.items() <= one.items()), None)
        if found is None:
            yield Difference("dead letter", "", wanted, NOTHING)
        else:
            left.remove(found)
    yield from (Difference("dead letter", "", NOTHING, one) for one in left)


def letter(stage: str, route: str, problem: Problem) -> dict[str, str]:
    """Return a dead letter as a test expects it."""
    told = {"stage": stage, "route": route, "code": problem.code, "pointer": problem.pointer}
    return {name: value for name, value in told.items() if value}


def _of_canonical(expect: Mapping[str, Any], outcome: Outcome) -> Iterator[Difference]:
    event = outcome.event
    if event is None:
        yield from (
            Difference(key, "", expect[key], NOTHING) for key in ("type", "business_key", "data") if key in expect
        )
        return
    got = {"type": event.type, "business_key": event.extensions.get("businesskey", ""), "data": event.data}
    for what, value in got.items():
        if what in expect:
            yield from compare(what, expect[what], value)


def _of_routes(expect: Mapping[str, Any], outcome: Outcome) -> Iterator[Difference]:
    requests = {sent.route: sent.request for sent in outcome.sent}
    if "routes" in expect:
        wanted = expect["routes"]
        yield from (Difference("routes", "", name, NOTHING) for name in wanted if name not in requests)
        yield from (Difference("routes", "", NOTHING, name) for name in requests if name not in wanted)
    for name, body in expect.get("bodies", {}).items():
        if name in requests:
            yield from compare(f"body of {name}", body, requests[name].body)
        else:
            yield Difference(f"body of {name}", "", body, NOTHING)
    for name, request in expect.get("requests", {}).items():
        if name in requests:
            yield from _of_request(name, request, requests[name])
        else:
            yield Difference(f"request of {name}", "", request, NOTHING)


def _of_answers(expect: Mapping[str, Any], outcome: Outcome) -> Iterator[Difference]:
    """Compare what the answers mean; a delivery of which nothing is said is meant to be delivered."""
    results = {sent.route: sent.result for sent in outcome.sent if sent.result is not None}
    wanted = dict.fromkeys(results, "delivered") | expect.get("deliveries", {})
    for name, word in wanted.items():
        result = results.get(name)
        if result is None or result.outcome != word:
            yield Difference(
                f"delivery of {name}", "", word, f"{result.outcome}, {result.detail}" if result else NOTHING
            )
    for name, data in expect.get("replies", {}).items():
        reply = results[name].reply if name in results else None
        if reply is not None and data is not None:
            yield from compare(f"reply of {name}", data, reply.data)
        else:
            yield from _one(f"reply of {name}", data, reply.data if reply is not None else None)


def _of_request(route: str, expect: Mapping[str, Any], request: Request) -> Iterator[Difference]:
    for key in ("method", "path", "body"):
        if key in expect:
            yield from compare(f"{key} of {route}", expect[key], getattr(request, key))
    for name, value in expect.get("headers", {}).items():
        yield from _one(f"header {name.lower()} of {route}", value, request.headers.get(name.lower()))


def _one(what: str, expected: Any, got: Any) -> Iterator[Difference]:
    """Compare a single value, of which there is none where it is None."""
    if expected != got:
        yield Difference(what, "", NOTHING if expected is None else expected, NOTHING if got is None else got)
