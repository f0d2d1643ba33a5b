"""`crossdock try` and `explain`: what comes in, step by step, and what would go out."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from crossdock.cli.app import app
from crossdock.kernel.event import Event
from tests.cli.architect import answer, run
from tests.cli.test_testing import HOOK
from tests.smallproject import FILES, OLDER, SALE_MAP, STOCK, TILLS, edited, sale, write

CONNECTOR = """\
connector: erp
kind: http
url: https://erp.example/movements?key=1
auth: {bearer: "plain secret"}
sign: {standard_webhooks: {secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}}
"""


def posted(root: Path, body: bytes, *words: str) -> Result:
    file = root / "body.json"
    file.write_bytes(body)
    return CliRunner().invoke(app, ["try", str(file), "--project", str(root), *words])


def test_try_shows_each_step(tmp_path: Path) -> None:
    tried = answer(write(tmp_path), "try", "EVENT")
    assert [(step["name"], step["ok"]) for step in tried["steps"]] == [
        ("gateway", True),
        ("transform sale", True),
        ("canonical schema", True),
        ("routes", True),
    ]
    assert all(step["ms"] >= 0 for step in tried["steps"])
    assert tried["outcome"] == "routed"
    assert tried["routes"] == [{"route": "stock", "connector": "erp"}]
    assert tried["event"]["data"]["location"] == "STORE-0042"


def test_try_shows_the_request_that_would_be_sent_without_its_secrets(tmp_path: Path) -> None:
    # when
    write(tmp_path, {"connectors/erp.yaml": CONNECTOR})
    (request,) = answer(tmp_path, "try", "EVENT")["requests"]
    text = run(tmp_path, "try", "EVENT").stdout
    # then
    assert (request["route"], request["method"]) == ("stock", "POST")
    assert request["url"] == "https://erp.example/movements?key=1"
    assert request["headers"]["ce-type"] == "inventory.sold"
    assert request["headers"]["authorization"] == "Bearer ***"
    assert request["headers"]["webhook-signature"] == request["headers"]["webhook-timestamp"] == "***"
    assert request["body"]["lines"] == [{"item": "COFFEE", "quantity": 1}, {"item": "TEA", "quantity": 1}]
    assert "stock -> erp\nPOST https://erp.example/movements?key=1\n" in text
    assert "plain secret" not in text and "MfKQ" not in text


@pytest.mark.parametrize(
    ("event", "step", "code"),
    [
        (sale("1", type="pos.void"), "schema", "unknown_type"),
        (sale("1", data={}), "gateway", "schema_violation"),
        (sale("99"), "transform sale", "lookup_missing"),
        (sale(), "canonical schema", "canonical_invalid"),
    ],
)
def test_try_stops_at_the_first_step_that_fails(tmp_path: Path, event: Event, step: str, code: str) -> None:
    result = run(write(tmp_path), "try", "EVENT", event=event)
    assert result.exit_code == 1
    failed = [line for line in result.stdout.splitlines() if line.startswith("FAIL")]
    assert len(failed) == 1 and failed[0].endswith(f"{step}: {code}")
    assert answer(tmp_path, "try", "EVENT", event=event)["problems"][0]["code"] == code


def test_the_place_that_breaks_the_schema_is_marked_in_the_data(tmp_path: Path) -> None:
    broken = sale(data={"store": "0042", "receipt": "7", "lines": [{"gtin": "1", "qty": 1}, {"gtin": "2", "qty": 0}]})
    lines = run(write(tmp_path), "try", "EVENT", event=broken).stdout.splitlines()
    (marked,) = [line for line in lines if line.startswith("> ")]
    assert marked.startswith('>       "qty": 0   <-- schema_violation: ')


def test_what_the_transform_made_is_marked_where_it_breaks_the_canonical_schema(tmp_path: Path) -> None:
    lines = run(write(tmp_path), "try", "EVENT", event=sale()).stdout.splitlines()
    assert lines[-4:-1] == ["> {   <-- canonical_invalid: is required", '    "location": "STORE-0042"', "  }"]


def test_a_file_that_is_no_event_is_a_problem(tmp_path: Path) -> None:
    result = posted(write(tmp_path), b'{"id": "1"}')
    assert result.exit_code == 1
    assert "invalid_envelope" in result.stdout


def test_a_webhook_is_tried_with_its_headers(tmp_path: Path) -> None:
    # given
    write(tmp_path, {"gateway/shop.yaml": HOOK})
    body = json.dumps(sale("1", "2").data).encode()
    # when
    result = posted(tmp_path, body, "--source", "shop", "-H", "X-Topic: sales/create", "--json")
    # then
    made = json.loads(result.stdout)
    assert (result.exit_code, made["source"], made["event"]["topic"]) == (0, "shop", "sales/create")
    assert made["event"]["source"] == "/web/shop"


def test_each_event_of_a_webhook_is_shown(tmp_path: Path) -> None:
    write(tmp_path, {"gateway/shop.yaml": HOOK})
    body = json.dumps({"sales": [sale("1", "2").data, {}]}).encode()
    result = posted(tmp_path, body, "--source", "shop", "--query", "topic=t", "--json")
    assert result.exit_code == 1
    assert [one["outcome"] for one in json.loads(result.stdout)["events"]] == ["routed", "refused"]


@pytest.mark.parametrize("words", [["--source", "nobody"], ["--source", "tills", "-H", "no colon"]])
def test_wrong_use_of_try_exits_2(tmp_path: Path, words: list[str]) -> None:
    assert posted(write(tmp_path), b"{}", *words).exit_code == 2


def test_explain_says_why_a_route_passes_by(tmp_path: Path) -> None:
    result = run(write(tmp_path), "explain", "EVENT", event=sale("1"))
    assert result.exit_code == 0
    why = "$count(lines) > 1 does not hold: $count(lines) is 1"
    assert result.stdout == f"s-1 is inventory.sold\npasses by  stock: {why}\n"
    (verdict,) = answer(tmp_path, "explain", "EVENT", event=sale("1"))["routes"]
    assert verdict == {
        "route": "stock", "matched": False, "why": why, "code": "when", "expression": "$count(lines) > 1", "value": 1,
    }  # fmt: skip


def test_explain_takes_a_canonical_event_too(tmp_path: Path) -> None:
    sold = Event(id="c-1", source="/s", type="inventory.sold", data={"location": "A", "lines": [1, 2]})
    result = run(write(tmp_path), "explain", "EVENT", event=sold)
    assert "takes it   stock" in result.stdout


def test_explain_of_an_event_that_reaches_no_route_says_what_is_wrong(tmp_path: Path) -> None:
    result = run(write(tmp_path), "explain", "EVENT", event=sale("99"))
    assert (result.exit_code, "lookup_missing" in result.stdout) == (1, True)


def test_the_pin_of_a_source_says_in_which_version_an_event_is_tried(tmp_path: Path) -> None:
    write(tmp_path, edited("gateway/tills.yaml", "[pos.sale]", "[pos.sale@1.0]"))
    tried = answer(tmp_path, "try", "EVENT")
    assert tried["steps"][0]["detail"] == "source tills takes it as pos.sale 1.0"


def test_each_cast_and_form_is_a_step_of_its_own(tmp_path: Path) -> None:
    steps = answer(write(tmp_path, OLDER), "try", "EVENT")["steps"]
    assert [(step["name"], step["detail"]) for step in steps if step["name"].split()[0] in ("cast", "form")] == [
        ("cast pos.sale/1-to-2", "makes pos.sale/2.0"),
        ("cast inventory.sold/1-to-2", "makes inventory.sold/2.0"),
        ("form erp", "for route stock"),
    ]


def test_a_version_that_nothing_takes_says_what_there_is(tmp_path: Path) -> None:
    without = {**OLDER, "transforms/pos.sale/1-to-2.yaml": None, TILLS: FILES[TILLS]}
    event = sale("1", "2")._replace(dataschema="crossdock:/pos.sale/1.0")
    (problem,) = answer(write(tmp_path, without), "try", "EVENT", event=event)["problems"]
    assert problem["code"] == "no_transform"
    assert problem["hint"] == "one takes pos.sale@2: cast it up, in transforms/pos.sale/1-to-2.yaml"


@pytest.mark.parametrize(
    ("changes", "code", "place"),
    [
        (edited(SALE_MAP, "gtin).sku", '"9").sku'), "lookup_missing", (SALE_MAP, 6, 58)),
        (edited(SALE_MAP, "qty}", "$units($gtin_ok(gtin) ? 1 : 2, gtin, gtin)}"), "bad_unit", (SALE_MAP, 6, 97)),
        (edited(SALE_MAP, "qty}", "$number(gtin & store & receipt & $$)}"), "expression_failed", (SALE_MAP, 6, 97)),
        (edited(SALE_MAP, 'store & "/" & receipt', "$sha256(nothing)"), "not_text", (SALE_MAP, 7, 15)),
        (edited(STOCK, "$count(lines) > 1", "location.nothing"), "when_not_boolean", (STOCK, 5, 5)),
    ],
)
def test_what_fails_is_shown_where_it_stands(
    tmp_path: Path, changes: dict[str, str | None], code: str, place: tuple[str, int, int]
) -> None:
    (problem,) = answer(write(tmp_path, changes), "try", "EVENT")["problems"]
    assert (problem["code"], (problem["file"], problem["line"], problem["column"])) == (code, place)
    shown = run(tmp_path, "try", "EVENT").stdout
    assert f"{place[0]}:{place[1]}:{place[2]}  {code}" in shown and "^" in shown


def test_a_request_shows_variables_by_their_value_or_name_and_secrets_never(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    text = FILES["connectors/erp.yaml"] + "auth: {bearer: '${ERP_TOKEN}'}\nheaders: {X-Shop: '${SHOP}'}\n"
    write(tmp_path, {"connectors/erp.yaml": text})
    # when
    (unset,) = answer(tmp_path, "try", "EVENT")["requests"]
    for name, value in (("ERP_URL", "http://127.0.0.1:9"), ("ERP_TOKEN", "s3cret"), ("SHOP", "x-42")):
        monkeypatch.setenv(name, value)
    (given,) = answer(tmp_path, "try", "EVENT")["requests"]
    # then
    assert (unset["url"], given["url"]) == ("${ERP_URL}/movements", "http://127.0.0.1:9/movements")
    assert unset["headers"] == given["headers"]
    assert (given["headers"]["authorization"], given["headers"]["x-shop"]) == ("Bearer ***", "***")


def test_a_file_shows_the_folder_of_which_the_variable_is_not_set_by_its_name(tmp_path: Path) -> None:
    # given
    text = "connector: erp\nkind: file\nfolder: ${DROPS}/out\nformat: jsonl\nname: {expression: $event.id}\n"
    write(tmp_path, {"connectors/erp.yaml": text})
    # when
    shown = run(tmp_path, "try", "EVENT").stdout
    # then
    assert "WRITE ${DROPS}/out/s-1\n" in shown
    assert '{\\"location\\":' in shown or '{"location":' in shown
