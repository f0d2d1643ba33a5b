"""`crossdock test`: what a case may say, what it finds, and how it is told."""

from pathlib import Path

import pytest

from tests.cli.architect import answer, run
from tests.smallproject import OLDER, POLLED, edited, write

SOLD = '{store: "0042", receipt: "7", lines: [{gtin: "1", qty: 2}, {gtin: "2", qty: 1}]}'
HOOK = """\
source: shop
partner: web
accept: webhook
types: [pos.sale]
verify: {shopify: {secret: "${SHOP_SECRET}"}}
event:
  each: 'body.sales ?: body'
  id: body.receipt
  type: '"pos.sale"'
  topic: 'headers."x-topic" ?: query.topic'
on_invalid: quarantine
"""


def case(given: str, expect: str) -> dict[str, str | None]:
    """Return the change of the project that leaves it one test."""
    text = f"tests:\n  - name: It holds\n    given: {given}\n    expect: {expect}\n"
    return {"routes/stock.test.yaml": text, "transforms/sale.test.yaml": None, "gateway/shop.yaml": HOOK}


def failures(root: Path, given: str, expect: str) -> list[str]:
    """Return in words what differs."""
    (test,) = answer(write(root, case(given, expect)), "test")["tests"]
    return [difference["message"] for difference in test["differences"]]


def event(data: str = SOLD, **more: str) -> str:
    return "{" + ", ".join(["type: pos.sale", *(f"{k}: {v}" for k, v in more.items()), f"data: {data}"]) + "}"


def request(body: str = SOLD, more: str = "") -> str:
    return "{request: {source: shop, body: " + body + more + "}}"


def test_content_tests_pass(tmp_path: Path) -> None:
    result = run(write(tmp_path), "test")
    assert result.exit_code == 0
    assert "2 tests, 0 failed, 100% covered" in result.stdout
    assert answer(tmp_path, "test")["passed"] == 2


def test_a_failing_test_says_where_it_stands_and_what_differs(tmp_path: Path) -> None:
    write(tmp_path, edited("transforms/sale.test.yaml", "quantity: 2", "quantity: 3"))
    result = run(tmp_path, "test")
    assert result.exit_code == 1
    assert "transforms/sale.test.yaml:2  A sale becomes a movement" in result.stdout
    assert "    data /lines/0/quantity: expected 3, got 2\n" in result.stdout
    (difference,) = answer(tmp_path, "test")["tests"][0]["differences"]
    assert difference | {"message": ""} == {
        "what": "data", "pointer": "/lines/0/quantity", "expected": 3, "got": 2, "message": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    "expect",
    [
        "{routes: [stock]}",
        "{outcome: routed, dead_letters: []}",
        "{requests: {stock: {method: POST, path: /movements}}}",
        "{requests: {stock: {headers: {Ce-Type: inventory.sold, ce-id: test, authorization: null}}}}",
        "{requests: {stock: {body: {location: STORE-0042, lines: [{item: COFFEE, quantity: 2}, {item: TEA, quantity: 1}]}}}}",  # noqa: E501
        "{envelope: {id: test, type: pos.sale, subject: null}, business_key: 0042/7}",
    ],
)
def test_what_is_expected_and_comes_passes(tmp_path: Path, expect: str) -> None:
    assert failures(tmp_path, event(via="tills"), expect) == []


@pytest.mark.parametrize(
    ("expect", "difference"),
    [
        ("{routes: []}", 'routes: "stock" is not expected'),
        ("{routes: [stock, other]}", 'routes: expected "other", it is missing'),
        ("{bodies: {other: {}}}", "body of other: expected {}, it is missing"),
        ("{requests: {other: {method: POST}}}", 'request of other: expected {"method":"POST"}, it is missing'),
        ("{requests: {stock: {method: PUT}}}", 'method of stock: expected "PUT", got "POST"'),
        ("{requests: {stock: {path: /other}}}", 'path of stock: expected "/other", got "/movements"'),
        ("{requests: {stock: {headers: {X-Key: a}}}}", 'header x-key of stock: expected "a", it is missing'),
        ("{requests: {stock: {headers: {ce-id: null}}}}", 'header ce-id of stock: "test" is not expected'),
        ("{envelope: {id: other}}", 'envelope id: expected "other", got "test"'),
        ("{outcome: duplicate}", 'outcome: expected "duplicate", got "routed"'),
        ("{error: lookup_missing}", 'error: expected "lookup_missing", it is missing'),
        ("{dead_letters: [{code: lookup_missing}]}", 'dead letter: expected {"code":"lookup_missing"}, it is missing'),
        ("[{routes: [stock]}, {routes: [stock]}]", "events: expected 2, got 1"),
        ("{data: {location: STORE-0042}}", "data /lines: "),
        ("{business_key: 0042/8}", 'business_key: expected "0042/8", got "0042/7"'),
    ],
)
def test_what_is_expected_and_does_not_come_is_told(tmp_path: Path, expect: str, difference: str) -> None:
    told = failures(tmp_path, event(via="tills"), expect)
    assert [one.startswith(difference) for one in told] == [True]


def test_an_event_that_fails_unexpectedly_says_why(tmp_path: Path) -> None:
    (told,) = failures(tmp_path, event(SOLD.replace('"1"', '"99"')), "{routes: []}")
    assert told.startswith("it failed: ") and "lookup_missing" in told


@pytest.mark.parametrize(
    ("data", "expect"),
    [
        (SOLD.replace('"1"', '"99"'), "{error: lookup_missing}"),
        (
            SOLD.replace('"1"', '"99"'),
            "{outcome: dead_lettered, dead_letters: [{stage: process, code: lookup_missing}]}",
        ),
        (SOLD.replace("qty: 2", "qty: 0"), "{outcome: refused, error: schema_violation, dead_letters: []}"),
        ('{store: "0042", receipt: "7", lines: []}', "{dead_letters: [{code: canonical_invalid, pointer: /lines}]}"),
    ],
)
def test_an_expected_failure_passes(tmp_path: Path, data: str, expect: str) -> None:
    assert failures(tmp_path, event(data, via="tills"), expect) == []


def test_a_delivery_that_is_given_up_before_it_is_sent_is_a_dead_letter_of_its_route(tmp_path: Path) -> None:
    # given a key that is no text
    write(tmp_path, case(event(via="tills"), "{dead_letters: [{stage: deliver, route: stock, code: bad_order_key}]}"))
    (tmp_path / "routes/stock.yaml").write_text(
        "routes: [{route: stock, from: [inventory.sold], to: erp, order_by: lines}]"
    )
    # then
    assert run(tmp_path, "test").exit_code == 0


def test_repeats_and_conflicts_are_recognised_within_a_case(tmp_path: Path) -> None:
    other = event(SOLD.replace("qty: 2", "qty: 3"), via="tills")
    given = f"[{event(via='tills')}, {event(via='tills')}, {other}]"
    expect = "[{routes: [stock]}, {outcome: duplicate}, {dead_letters: [{code: id_conflict}]}]"
    assert failures(tmp_path, given, expect) == []


def test_cases_know_nothing_of_each_other(tmp_path: Path) -> None:
    one = f"{{name: x, given: {event(via='tills')}, expect: {{outcome: routed}}}}"
    write(tmp_path, {"routes/stock.test.yaml": f"tests: [{one}, {one}]"})
    assert answer(tmp_path, "test")["failed"] == 0


def test_a_webhook_goes_through_the_expressions_of_its_source(tmp_path: Path) -> None:
    given = request(more=", headers: {X-Topic: sales/create}")
    expect = '{envelope: {id: "7", source: /web/shop, topic: sales/create}, routes: [stock], outcome: routed}'
    assert failures(tmp_path, given, expect) == []


def test_a_query_and_a_body_to_the_byte_may_be_given(tmp_path: Path) -> None:
    given = """{request: {source: shop, query: {topic: q}, text: '{"store": "0042", "receipt": "9", "lines": []}'}}"""
    assert failures(tmp_path, given, '{envelope: {topic: q, id: "9"}, error: canonical_invalid}') == []


def test_each_event_of_a_body_is_expected_on_its_own(tmp_path: Path) -> None:
    body = "{sales: [" + SOLD + ", " + SOLD.replace('"7"', '"8"').replace("qty: 2", "qty: x") + "]}"
    expect = (
        "[{routes: [stock]}, {outcome: quarantined, dead_letters: [{code: schema_violation, pointer: /lines/0/qty}]}]"
    )
    assert failures(tmp_path, request(body), expect) == []


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("{request: {source: shop, text: '{'}}", "invalid_json"),
        ("{request: {source: shop, body: []}}", "no_events"),
        ("{request: {source: shop, headers: {content-type: text/xml}, text: <a/>}}", "unsupported_media_type"),
        ("{request: {source: tills, body: {}}}", "invalid_envelope"),
    ],
)
def test_a_request_that_is_refused_as_a_whole_is_one_outcome(tmp_path: Path, given: str, code: str) -> None:
    assert failures(tmp_path, given, f"{{outcome: refused, error: {code}}}") == []


def test_an_event_that_is_posted_in_binary_mode_is_taken_as_the_gateway_does(tmp_path: Path) -> None:
    headers = "{ce-specversion: '1.0', ce-id: b-1, ce-source: /t, ce-type: pos.sale}"
    given = f"{{request: {{source: tills, headers: {headers}, body: {SOLD}}}}}"
    assert failures(tmp_path, given, "{envelope: {id: b-1}, routes: [stock]}") == []


def test_a_canonical_event_needs_no_source(tmp_path: Path) -> None:
    given = "{type: inventory.sold, data: {location: A, lines: [1, 2]}}"
    assert failures(tmp_path, given, "{routes: [stock]}") == []


@pytest.mark.parametrize(
    ("given", "expect", "code", "line"),
    [
        (f"[{event()}]", "{routes: []}", "bad_value", 4),
        ("{request: {source: shop, colour: red}}", "{routes: []}", "unknown_key", 3),
        ("{type: pos.sale, data: {}, time: noon}", "{routes: []}", "invalid_envelope", 3),
        (event(via="tillz"), "{routes: []}", "unknown_source", 3),
        (event(), "{routes: [stok]}", "unknown_route", 4),
        (event(), "{requests: {stok: {method: POST}}}", "unknown_route", 4),
        (event(), "{dead_letters: [{stage: nowhere}]}", "bad_value", 4),
    ],
)
def test_check_finds_mistakes_in_tests(tmp_path: Path, given: str, expect: str, code: str, line: int) -> None:
    found = answer(write(tmp_path, case(given, expect)), "check")["problems"]
    placed = [(p["code"], p["file"], p["line"]) for p in found if p["file"].endswith(".test.yaml")]
    assert placed == [(code, "routes/stock.test.yaml", line)]


def test_casts_and_forms_count_as_covered_once_an_event_went_through_them(tmp_path: Path) -> None:
    # given
    write(tmp_path, OLDER)
    kinds = ("cast", "form")
    # when
    through = {one["kind"]: one for one in answer(tmp_path, "test")["coverage"]["kinds"]}
    (tmp_path / "transforms/sale.test.yaml").unlink()
    (tmp_path / "routes/stock.test.yaml").unlink()
    none = {one["kind"]: one for one in answer(tmp_path, "test")["coverage"]["kinds"]}
    # then
    assert [through[kind]["missing"] for kind in kinds] == [[], []]
    assert [none[kind]["missing"] for kind in kinds] == [["inventory.sold/1-to-2", "pos.sale/1-to-2"], ["erp"]]


def test_where_there_are_no_casts_and_forms_nothing_is_said_of_them(tmp_path: Path) -> None:
    kinds = [one["kind"] for one in answer(write(tmp_path), "test")["coverage"]["kinds"]]
    assert kinds == ["source", "transform", "route", "connector"]


def test_a_connector_that_is_only_polled_is_covered_by_tests_of_its_source(tmp_path: Path) -> None:
    # given
    given = "{request: {source: dropped, body: " + SOLD + "}}"
    test = f"tests:\n  - name: Dropped\n    given: {given}\n    expect: {{routes: [stock]}}\n"
    write(tmp_path, {**POLLED, "gateway/dropped.test.yaml": test})
    # when
    kinds = {one["kind"]: one for one in answer(tmp_path, "test")["coverage"]["kinds"]}
    # then
    assert "dropped" not in kinds["source"]["missing"]
    assert (kinds["connector"]["total"], kinds["connector"]["missing"]) == (1, [])


def test_what_tests_find_does_not_depend_on_the_variables_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    monkeypatch.setenv("ERP_URL", "http://127.0.0.1:9/elsewhere")
    # then
    assert failures(tmp_path, event(), "{requests: {stock: {path: /movements}}}") == []
