"""What commands of operators say to people: figures with their units, nothing found, what was not done and why."""

from typing import Any

import pytest

from crossdock.cli import planshown
from crossdock.cli.remote import Remote
from tests.cli.operations import Operations, operations

LETTER = {
    "id": "dl-1", "event_id": "s-1", "stage": "deliver", "source": "tills", "route": "stock", "reason": "refused",
    "detail": "HTTP 400\x1b[2J", "state": "open", "first_seen": 0, "last_seen": 60_000, "attempts": 1,
    "problem": "pr-1",
}  # fmt: skip
PROBLEM = {
    "id": "pr-1", "state": "acknowledged", "regressed": False, "open": 3, "last_hour": 1, "stage": "deliver",
    "route": "stock", "source": "", "reason": "refused", "place": "/store", "owner": "ann", "overdue": True,
    "last_seen": 0, "sample": "dl-1", "notes": [{"at": 0, "who": "ann", "text": "on it"}],
}  # fmt: skip
PLAN = {
    "id": "rp-1", "state": "planned", "of": "letters", "total": 5, "done": 0, "sent": 0, "skipped": 0, "gone": 0,
    "who": "ann", "at": 0, "reason": "the OMS is back", "past_retention": 0, "warnings": ["three go twice"],
    "waits_for": "",
}  # fmt: skip
FIGURES = {
    "value": "pos.sale", "events": 9, "count": 7, "p50": 12.5, "p95": 40.0, "p99": None, "before": {"p95": None},
    "hops": [{"hop": "process", "share": 0.25}, {"hop": "deliver", "share": 0.75}, {"hop": "match", "share": None}],
    "rework": {"retried": 2, "dead_lettered": 0}, "dead_letters": 4,
}  # fmt: skip
DEVIATION = {
    "rule": "paid-first", "state": "late", "key": "o-1", "since": 1, "closed": None, "partner": "shop", "store": "",
}  # fmt: skip


@pytest.fixture
def ops(monkeypatch: pytest.MonkeyPatch) -> Operations:
    monkeypatch.setattr(planshown, "LOOK_EVERY", 0)
    return operations(monkeypatch)


def cells(line: str) -> list[str]:
    """Return the cells of a line of a table."""
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_figures_of_processes_have_units_and_count_all_dead_letters(ops: Operations) -> None:
    ops.answers["GET /ops/v1/processes"] = [{"items": [FIGURES], "left_out": 3}]
    code, out, _ = ops.run("process", "show", "--by", "type")
    head, line, more = out.splitlines()
    assert (code, more) == (0, "and 3 more")
    assert cells(head) == [
        "type", "events", "delivered", "p50 ms", "p95 ms", "p99 ms", "p95 ms week before", "time in", "dead letters",
        "rework",
    ]  # fmt: skip
    assert cells(line) == ["pos.sale", "9", "7", "12.5", "40.0", "process 25%, deliver 75%", "4", "2 retried"]


@pytest.mark.parametrize(("missing", "code"), [(0, 0), (2, 1)])
def test_deviations_are_listed_and_what_is_missing_still_ends_the_command_with_1(
    ops: Operations, missing: int, code: int
) -> None:
    ops.answers["GET /ops/v1/conformance"] = [{"items": [DEVIATION], "rules": [{"open": missing}]}]
    found, out, _ = ops.run("process", "conformance", "--rule", "paid-first")
    assert (found, cells(out.splitlines()[1])) == (
        code, ["paid-first", "late", "o-1", "1970-01-01 00:00:00.001Z", "shop"],
    )  # fmt: skip
    assert "rule=paid-first" in ops.asked[0][0]


LISTS: dict[tuple[str, ...], dict[str, Any]] = {
    ("dlq", "list"): {"GET /ops/v1/dead-letters": {"items": [], "next": ""}},
    ("dlq", "groups"): {"GET /ops/v1/problems": {"items": []}},
    ("dlq", "plans"): {"GET /ops/v1/plans": {"items": []}},
    ("dlq", "replay", "--reason", "refused"): {"POST /ops/v1/replays": {"items": []}},
    ("trace", "--partner", "stores"): {"GET /ops/v1/events": {"items": [], "next": ""}},
    ("process", "show"): {"GET /ops/v1/processes": {"items": [], "left_out": 0}},
    ("process", "conformance"): {"GET /ops/v1/conformance": {"items": [], "rules": []}},
    ("drift", "list"): {"GET /ops/v1/drift": {"items": []}},
}


@pytest.mark.parametrize("words", LISTS, ids=" ".join)
def test_that_there_is_nothing_is_said(ops: Operations, words: tuple[str, ...]) -> None:
    ops.answers.update({asked: [answer] for asked, answer in LISTS[words].items()})
    code, out, err = ops.run(*words)
    assert (code, out, err.startswith("Nothing found")) == (0, "", True)


def test_dead_letters_are_listed_with_how_to_see_the_next_ones(ops: Operations) -> None:
    ops.answers["GET /ops/v1/dead-letters"] = [{"items": [LETTER], "next": "1.0.dl-1"}]
    code, out, err = ops.run("dlq", "list", "--partner", "stores", "--text", "sold out", "--after", "1.9.dl-9")
    assert (code, err) == (0, "There are more: --after 1.0.dl-1\n")
    assert cells(out.splitlines()[1])[:4] == ["dl-1", "open", "s-1", "deliver"]
    assert "partner=stores&text=sold+out&limit=100&after=1.9.dl-9" in ops.asked[0][0]


def test_a_hash_that_is_none_is_wrong_use_and_nothing_is_asked(ops: Operations) -> None:
    code, _, err = ops.run("audit", "verify", "--known", "deadbeef")
    assert (code, "not a hash of 64 hex digits" in err, ops.asked) == (2, True, [])


def test_a_plan_says_how_much_it_holds_and_what_cannot_be_sent(ops: Operations) -> None:
    ops.answers["POST /ops/v1/plans"] = [PLAN | {"past_retention": 2}]
    code, out, err = ops.run("dlq", "plan", "--route", "stock", "--why", "the OMS is back")
    assert (code, cells(out.splitlines()[1])[:4]) == (0, ["rp-1", "planned", "letters", "5"])
    assert err == "2 more are past their retention and cannot be sent.\n"


@pytest.mark.parametrize(
    ("end", "code", "said"),
    [
        ({"state": "done", "done": 5, "sent": 5}, 0, ""),
        ({"state": "done", "done": 5, "gone": 1}, 1, ""),
        (
            {"state": "paused", "done": 2}, 1,
            "The plan was paused at 2 of 5. `crossdock dlq run rp-1` goes on.\n",
        ),
        ({"state": "cancelled", "done": 2}, 1, "The plan was cancelled at 2 of 5.\n"),
    ],
)  # fmt: skip
def test_a_plan_that_somebody_else_stops_is_no_plan_that_was_run(
    ops: Operations, end: dict[str, Any], code: int, said: str
) -> None:
    ops.answers["POST /ops/v1/plans/rp-1/run"] = [PLAN | {"state": "running"}]
    ops.answers["GET /ops/v1/plans/rp-1"] = [PLAN | {"state": "running", "done": 1}, PLAN | end]
    found, out, err = ops.run("dlq", "run", "rp-1", "--yes")
    assert (found, err) == (code, said)
    assert end["state"] in out


@pytest.mark.parametrize(
    ("words", "answers"),
    [
        (("dlq", "discard", "dl-1", "--reason", "mended by hand"), {}),
        (("dlq", "run", "rp-1"), {"GET /ops/v1/plans/rp-1": [PLAN]}),
        (("dlq", "replay", "dl-1"), {"POST /ops/v1/replays": [{"items": [{"outcome": "sent"}]}]}),
    ],
    ids=str,
)
def test_without_anybody_to_answer_a_question_the_command_says_how_to_go_on(
    ops: Operations, words: tuple[str, ...], answers: dict[str, Any]
) -> None:
    # given
    ops.answers.update(answers)
    # when
    code, _, err = ops.run(*words, given="")
    # then
    assert (code, err.splitlines()[-1]) == (2, "Nobody is there to answer: say --yes to go on without a question.")
    assert not any(asked.endswith(("/discards", "/run")) for asked, _ in ops.asked)


def test_a_no_ends_the_command_and_does_nothing(ops: Operations) -> None:
    code, _, err = ops.run("dlq", "discard", "dl-1", "--reason", "mended by hand", given="n\n")
    assert (code, "Give up 1 dead letter for good?" in err, ops.asked) == (1, True, [])


def test_what_is_given_up_is_listed_with_what_came_of_it(ops: Operations) -> None:
    done = [{"id": "dl-1", "event_id": "s-1", "outcome": "discarded"}]
    ops.answers["POST /ops/v1/discards"] = [{"items": done}]
    code, out, _ = ops.run("dlq", "discard", "dl-1", "--reason", "mended by hand", given="y\n")
    assert (code, cells(out.splitlines()[-1])) == (0, ["dl-1", "s-1", "discarded"])
    assert ops.asked == [("POST /ops/v1/discards", {"ids": ["dl-1"], "reason": "mended by hand"})]


def test_an_act_that_waits_for_a_second_person_says_for_whom_and_until_when(ops: Operations) -> None:
    ops.answers["POST /ops/v1/discards"] = [{"approval": {"id": "ap-1", "expires": 0}}]
    code, out, _ = ops.run("dlq", "discard", "dl-1", "--reason", "mended by hand", "--yes")
    assert (code, out) == (
        0, "Another person has to approve it until 1970-01-01 00:00:00.000Z: approval approve ap-1\n",
    )  # fmt: skip


def test_what_is_said_of_a_problem_is_shown_with_all_notes(ops: Operations) -> None:
    ops.answers["PATCH /ops/v1/problems/pr-1"] = [PROBLEM]
    code, out, _ = ops.run("dlq", "mark", "pr-1", "--state", "acknowledged", "--owner", "ann", "--due", "never")
    _, line, note = out.splitlines()
    assert (code, note) == (0, "1970-01-01 00:00:00.000Z  ann  on it")
    assert cells(line)[:2] == ["pr-1", "acknowledged"] and "ann (overdue)" in line
    assert ops.asked[0][1] == {"state": "acknowledged", "owner": "ann", "due": 0}


def test_what_nobody_can_read_steers_no_terminal(ops: Operations) -> None:
    ops.answers["GET /ops/v1/journal/unreadable/7"] = [{"seq": 7, "text": "a\x1b]0;mine\x07\nb", "left_out": 0}]
    assert ops.run("journal", "unreadable", "7")[:2] == (0, "a\\x1b]0;mine\\x07\nb\n")


def test_messages_that_somebody_knows_of_are_dismissed_by_their_numbers(ops: Operations) -> None:
    for number in (7, 9):
        told = {"seq": number, "at": 0, "why": "no JSON", "bytes": 1}
        ops.answers[f"DELETE /ops/v1/journal/unreadable/{number}"] = [told]
    code, out, _ = ops.run("journal", "dismiss", "7", "9")
    assert (code, [cells(line)[0] for line in out.splitlines()[1:]]) == (0, ["7", "9"])


def test_what_came_of_an_edit_is_shown_in_its_columns_whatever_the_order_of_the_answer(
    ops: Operations, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = {"outcome": "sent", "edit": "ed-1", "event_id": "s-1", "id": "dl-1"}
    monkeypatch.setattr(Remote, "send", lambda *_: (200, done | {"changes": [], "requests": [], "problems": []}))
    code, out, _ = ops.run("dlq", "edit", "dl-1", "--patch", "[]", "--yes")
    assert (code, cells(out.splitlines()[-1])) == (0, ["dl-1", "s-1", "ed-1", "sent"])
