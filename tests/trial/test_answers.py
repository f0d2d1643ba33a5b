"""Content tests give what targets answer: what `answers` make of that, and the events that `reply` makes."""

from pathlib import Path

import pytest

from tests.cli.architect import answer, run
from tests.smallproject import FILES, write

ERP = "connectors/erp.yaml"
MEANING = """\
answers:
  - {status: 409, is: delivered}
  - {when: 'body.error = "LOCKED"', is: retry}
  - {when: '$contains($string(body), "busy")', is: throttled}
"""
REPLY = "reply: {type: inventory.sold@1, map: 'body.booked'}\n"
BOOKED = "{location: STORE-1, lines: [1]}"
TAKEN = f"{{status: 201, body: {{booked: {BOOKED}}}}}"


def differences(root: Path, target: str, expect: str, connector: str = "", route: str = "stock") -> list[str]:
    """Return what differs from what is expected of a sale when the target of a route answers so."""
    data = '{store: "0042", receipt: "7", lines: [{gtin: "1", qty: 2}, {gtin: "2", qty: 1}]}'
    text = f"""\
tests:
  - name: It holds
    given: {{type: pos.sale, data: {data}}}
    answers: {{{route}: {target}}}
    expect: {expect}
"""
    write(root, {"routes/stock.test.yaml": text, "transforms/sale.test.yaml": None, ERP: FILES[ERP] + connector})
    (test,) = answer(root, "test")["tests"]
    return [difference["message"] for difference in test["differences"]]


@pytest.mark.parametrize(
    ("target", "outcome"),
    [
        ("{status: 204}", "delivered"),
        ("{status: 409, body: {error: KNOWN}}", "delivered"),
        ("{status: 400, body: {error: LOCKED}}", "retry"),
        ("{status: 200, text: busy}", "throttled"),
        ("{status: 429, headers: {Retry-After: 5}}", "throttled"),
        ("{status: 422, body: {error: ODD}}", "permanent"),
    ],
)
def test_an_answer_means_what_the_connector_says(tmp_path: Path, target: str, outcome: str) -> None:
    assert differences(tmp_path, target, f"{{deliveries: {{stock: {outcome}}}}}", MEANING) == []


def test_a_delivery_of_which_nothing_is_said_is_meant_to_be_delivered(tmp_path: Path) -> None:
    (difference,) = differences(tmp_path, "{status: 422, text: no such item}", "{routes: [stock]}")

    assert difference == 'delivery of stock: expected "delivered", got "permanent, HTTP 422: no such item"'


def test_an_answer_becomes_an_event_with_exactly_this_data(tmp_path: Path) -> None:
    assert differences(tmp_path, TAKEN, f"{{replies: {{stock: {BOOKED}}}}}", REPLY) == []
    assert differences(tmp_path, TAKEN, "{replies: {stock: {location: STORE-2, lines: [1]}}}", REPLY) == [
        'reply of stock /location: expected "STORE-2", got "STORE-1"'
    ]
    assert differences(tmp_path, "{status: 204}", "{replies: {stock: null}}", REPLY) == []
    assert len(differences(tmp_path, TAKEN, "{replies: {stock: null}}", REPLY)) == 1
    assert len(differences(tmp_path, "{status: 204}", f"{{replies: {{stock: {BOOKED}}}}}", REPLY)) == 1


def test_a_reply_that_does_not_fit_its_schema_is_the_dead_letter_that_it_would_be(tmp_path: Path) -> None:
    odd = "{status: 201, body: {booked: {location: 7}}}"

    assert differences(tmp_path, odd, "{dead_letters: [{stage: deliver, code: reply_invalid}]}", REPLY) == []
    assert "reply_invalid" in differences(tmp_path, odd, "{routes: [stock]}", REPLY)[0]


def test_each_event_of_a_batch_has_the_result_that_the_answer_gives_it(tmp_path: Path) -> None:
    batch = "batch: {results: 'body.{\"is\": said}[]', within: 1m}\n"

    assert differences(tmp_path, "{status: 200, body: [{said: retry}]}", "{deliveries: {stock: retry}}", batch) == []


def test_a_token_is_not_asked_for(tmp_path: Path) -> None:
    auth = "auth: {oauth2: {token_url: 'http://127.0.0.1:1/', client_id: a, client_secret: b}}\ncsrf: {path: /}\n"

    assert differences(tmp_path, "{status: 204}", "{deliveries: {stock: delivered}}", auth) == []


def test_a_route_that_does_not_take_the_event_has_no_delivery(tmp_path: Path) -> None:
    one = '{type: pos.sale, data: {store: "0042", receipt: "7", lines: [{gtin: "1", qty: 2}]}}'
    text = f"""\
tests:
  - name: It holds
    given: {one}
    answers: {{stock: {{status: 204}}}}
    expect: {{deliveries: {{stock: delivered}}}}
"""
    write(tmp_path, {"routes/stock.test.yaml": text, "transforms/sale.test.yaml": None})

    (test,) = answer(tmp_path, "test")["tests"]

    (difference,) = test["differences"]
    assert difference["message"] == 'delivery of stock: expected "delivered", it is missing'


def test_a_connector_of_another_kind_reads_no_answer(tmp_path: Path) -> None:
    sink = f"connector: erp\nkind: file\nfolder: {tmp_path}\nname: a.jsonl\nformat: jsonl\n"
    text = FILES["routes/stock.test.yaml"].replace("    expect:", "    answers: {stock: {status: 204}}\n    expect:")
    write(tmp_path, {"routes/stock.test.yaml": text, ERP: sink})

    result = run(tmp_path, "test")

    assert result.exit_code == 1
    assert "contradiction" in result.stdout


def test_a_route_that_is_misspelt_is_told_with_its_place(tmp_path: Path) -> None:
    text = FILES["routes/stock.test.yaml"].replace("    expect:", "    answers: {stok: {status: 204}}\n    expect:")
    write(tmp_path, {"routes/stock.test.yaml": text})

    (problem,) = answer(tmp_path, "check", "--format", "json")["problems"]

    assert (problem["code"], problem["line"]) == ("unknown_route", 6)
