"""What a connector of kind http makes of an event: method, path, query, headers, body."""

from pathlib import Path

import pytest

from crossdock.kernel.event import Event
from crossdock.kernel.problems import Refused
from tests.connectors.httpcases import EVENT, composed, read


def test_path_query_and_headers_are_fixed_or_made_of_the_event(tmp_path: Path) -> None:
    text = """
method: PUT
path: {expression: '"/orders/" & $encodeUrlComponent(id)'}
query: {mode: 'fa st', type: {expression: $event.type}, each: {expression: '[1, 2]'}, none: {expression: missing}}
headers:
  X-Tenant: eu
  X-Price: {expression: price}
  X-Key: {expression: $event.idempotencykey}
  X-None: {expression: missing}
"""

    path, headers, body = composed(tmp_path, text)

    assert path == "/api/orders/a%2Fb%20c?mode=fa%20st&type=order.placed&each=1&each=2"
    assert headers == {
        "ce-specversion": "1.0", "ce-id": "e1", "ce-source": "/tills/7", "ce-type": "order.placed",
        "ce-partner": "shop", "content-type": "application/json", "x-tenant": "eu", "x-price": "1.5",
        "x-key": "key-1", "idempotency-key": "key-1", "webhook-id": "key-1",
    }  # fmt: skip
    assert body == b'{"id":"a/b c","n":1152921504606846976,"price":1.5}'


def test_a_connector_that_says_nothing_of_the_request_has_no_form(tmp_path: Path) -> None:
    assert read(tmp_path, "path: /orders\nquery: {a: b}\nheaders: {X-A: b}").options.form is None
    assert composed(tmp_path, "path: /orders\nquery: {a: b}").path == "/api/orders?a=b"


@pytest.mark.parametrize("value", ["../admin", "a?x=1", "a#x", "a b", "é", "a\r\nX: y", "%2e%2E/x", "."])
def test_what_an_event_brings_into_a_path_cannot_lead_elsewhere(tmp_path: Path, value: str) -> None:
    with pytest.raises(Refused, match="bad_path"):
        composed(tmp_path, "path: {expression: '\"/orders/\" & id'}", EVENT._replace(data={"id": value}))


@pytest.mark.parametrize("value", ["../admin", "a?x=1", "a#x", "a b", "é", "a\r\nX: y", "%2e"])
def test_each_part_of_a_path_that_is_encoded_may_hold_anything(tmp_path: Path, value: str) -> None:
    path = composed(
        tmp_path, "path: {expression: '\"/o/\" & $encodeUrlComponent(id)'}", EVENT._replace(data={"id": value})
    ).path

    assert path.startswith("/api/o/")
    assert path.isascii()
    assert path.count("/") == 3
    assert "?" not in path


@pytest.mark.parametrize(
    ("body", "data", "content_type", "written"),
    [
        ("form", {"a": "x y&é", "n": 2**60, "l": [1, True], "z": None}, "application/x-www-form-urlencoded",
         "a=x+y%26%C3%A9&n=1152921504606846976&l=1&l=true"),
        ("csv", [{"sku": "007", "text": 'a "b", c'}, {"sku": "8", "price": 1.5}], "text/csv; charset=utf-8",
         'sku,text,price\r\n007,"a ""b"", c",\r\n8,,1.5\r\n'),
        ("text", "ISA*00~", "text/plain; charset=utf-8", "ISA*00~"),
        ("none", {"a": 1}, None, ""),
        ("{expression: '\"UNH+\" & $event.id'}", {}, "text/plain; charset=utf-8", "UNH+e1"),
        ("{xml: {root: GoodsMvt}}",
         {"@xmlns": "urn:x", "Line": [{"@no": 1, "Sku": "<&>"}, {"#text": "t"}], "Big": 2**60},
         "application/xml; charset=utf-8",
         '<?xml version="1.0" encoding="UTF-8"?><GoodsMvt xmlns="urn:x"><Line no="1"><Sku>&lt;&amp;&gt;</Sku></Line>'
         "<Line>t</Line><Big>1152921504606846976</Big></GoodsMvt>"),
        ("{xml: {root: 's:E'}}", {"@xmlns:s": "urn:s", "s:B": {"@s:a": 'q"\n'}, "empty": None},
         "application/xml; charset=utf-8",
         '<?xml version="1.0" encoding="UTF-8"?><s:E xmlns:s="urn:s"><s:B s:a=\'q"&#10;\'/><empty/></s:E>'),
    ],
)  # fmt: skip
def test_the_data_is_written_as_the_target_wants_it(
    tmp_path: Path, body: str, data: object, content_type: str | None, written: str
) -> None:
    request = composed(tmp_path, f"body: {body}\ncloudevents: false", EVENT._replace(data=data, exact=True))

    assert request.body.decode() == written
    assert request.headers.get("content-type") == content_type
    assert not any(name.startswith("ce-") for name in request.headers)


@pytest.mark.parametrize(
    ("body", "data"),
    [
        ("form", [1]), ("form", {"a": {"b": 1}}), ("csv", ["x"]), ("csv", b"x"), ("text", {"a": 1}),
        ("{xml: {root: A}}", {"a b": 1}), ("{xml: {root: A}}", {"x:a": 1}), ("{xml: {root: A}}", "\x00"),
        ("{xml: {root: A}}", {"@a": [1]}), ("{xml: {root: A}}", b"x"), ("{expression: id.foo[}", {}),
    ],
)  # fmt: skip
def test_data_that_a_format_cannot_hold_is_refused(tmp_path: Path, body: str, data: object) -> None:
    with pytest.raises(Refused):
        composed(tmp_path, f"body: {body}", Event("1", "/s", "t", data))


def test_bytes_pass_as_they_are_where_the_body_is_not_formed(tmp_path: Path) -> None:
    request = composed(tmp_path, "cloudevents: false", Event("1", "/s", "t", b"\xff", datacontenttype="image/png"))

    assert (request.headers["content-type"], request.body) == ("image/png", b"\xff")


def test_an_hmac_of_the_exact_body_goes_along(tmp_path: Path) -> None:
    # the vector that GitHub publishes for its webhooks
    text = """
auth: {hmac: {secret: "It's a Secret to Everybody", header: X-Hub-Signature-256, prefix: sha256=}}
body: text
"""
    request = composed(tmp_path, text, EVENT._replace(data="Hello, World!"))

    wanted = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert request.headers["x-hub-signature-256"] == wanted


def test_a_value_that_is_no_text_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="bad_text"):
        composed(tmp_path, "headers: {X-A: {expression: '$event'}}")


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        ("path: orders", 5, "bad_url"),
        ("path: /orders?x=1", 5, "bad_url"),
        ("path: {expression: 'id['}", 5, "bad_expression"),
        ("headers: {X: {expression: '$nope(1)'}}", 5, "unknown_function"),
        ("headers: {X: {expression: '\"${SECRET}\"'}}", 5, "bad_expression"),
        ("headers: {Idempotency-Key: {expression: id}}", 5, "bad_header"),
        ("headers: {Host: {expression: id}}", 5, "bad_header"),
        ("body: yaml", 5, "bad_value"),
        ("body: {xml: {root: '1a'}}", 5, "bad_value"),
        ("answers: [{is: delivered}]", 5, "bad_value"),
        ("answers: [{when: 'body[', is: retry}]", 5, "bad_expression"),
        ("retry_after: {least: 2m, most: 1m}", 5, "bad_value"),
        ("batch: {most: 2}\nreply: {type: a@1, map: body}", 6, "contradiction"),
        ("tls: {ca: /nowhere/ca.pem}", 5, "bad_tls"),
        ("tls: {key: /nowhere/key.pem}", 5, "bad_value"),
        ("auth: {hmac: {secret: s, header: 'a b'}}", 5, "bad_header"),
        ("auth: {oauth2: {token_url: 'http://[64:ff9b::a00:1]', client_id: a, client_secret: b}}",
         5, "private_address"),
        ("auth: {oauth2: {token_url: 'ftp://x/t', client_id: a, client_secret: b}}", 5, "bad_url"),
        ("check: {path: ping}", 5, "bad_url"),
        ("poll: {items: 'body['}", 5, "bad_expression"),
        ("poll: {next: {cursor: body.next}}", 5, "bad_value"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, line: int, code: str) -> None:
    with pytest.raises(Refused) as refused:
        read(tmp_path, text, {"SECRET": "s3cret"})

    assert [(p.code, p.line) for p in refused.value.problems] == [(code, line)]
    assert "s3cret" not in str(refused.value)


def test_a_connector_of_the_same_text_is_equal_so_that_it_stays_open(tmp_path: Path) -> None:
    text = "path: {expression: id}\nanswers: [{when: body.x, is: retry}]\nbatch: {wrap: items.data}\n"

    assert read(tmp_path, text) == read(tmp_path, text)
    assert read(tmp_path, text) != read(tmp_path, text.replace("body.x", "body.y"))
