"""What `test` and `try` show of a request is what the connector sends, but for secrets."""

import re
from pathlib import Path

import pytest

from connectors.reading import load
from connectors.showing import request_of
from connectors.spec import ConnectorSpec
from crossdock.kernel.problems import Refused
from tests.connectors.httpcases import EVENT, read

FILE = """
method: PUT
path: {expression: '"/o/" & $encodeUrlComponent(id)'}
query: {key: '${KEY}', n: {expression: n}}
headers: {X-Price: {expression: price}}
body: {xml: {root: Order}}
cloudevents: false
auth: {%s}
"""
OAUTH2 = "oauth2: {token_url: https://erp.example/t, client_id: a, client_secret: '${KEY}'}"


def test_a_formed_request_is_shown_as_it_is_sent(tmp_path: Path) -> None:
    shown = request_of(read(tmp_path, FILE % OAUTH2, {"KEY": "s3cret/"}), EVENT, "key-1")

    assert (shown.method, shown.path) == ("PUT", "/api/o/a%2Fb%20c?key=***&n=1152921504606846976")
    assert shown.headers == {
        "x-price": "1.5", "content-type": "application/xml; charset=utf-8", "authorization": "***",
        "idempotency-key": "key-1", "webhook-id": "key-1",
    }  # fmt: skip
    assert shown.body.endswith("<n>1152921504606846976</n><price>1.5</price></Order>")


def test_a_signature_and_the_form_of_a_batch_are_shown(tmp_path: Path) -> None:
    text = "batch: {wrap: '{\"moves\": items.data[]}'}\nauth: {hmac: {secret: '${KEY}'}}"

    shown = request_of(read(tmp_path, text, {"KEY": "s3cret"}), EVENT, "key-1")

    assert shown.headers["x-signature"] == "***"
    assert shown.body == {"moves": [EVENT.data]}


FOLDER = "format: {csv: {delimiter: ';'}}\nfolder: /out\n"
AS_SFTP = "kind: sftp\nhost: erp.example\nuser: u\nhost_key: SHA256:%s\nauth: {password: s3cret}\n" % ("A" * 43)


@pytest.mark.parametrize("kind", ["kind: file\n", AS_SFTP])
def test_a_file_is_shown_by_its_name_and_with_what_it_will_hold(tmp_path: Path, kind: str) -> None:
    named = folder(tmp_path, kind + FOLDER + "name: {expression: '$event.id & \".csv\"'}\n")
    fixed = folder(tmp_path, kind + FOLDER + "name: moves.csv\n")
    event = EVENT._replace(data=[{"sku": "A;1", "n": 2**60}])

    shown = request_of(named, event, "key-1")

    assert (shown.method, shown.path) == ("WRITE", f"/out/{EVENT.id}.csv")
    assert shown.body == f'sku;n\r\n"A;1";{2**60}\r\n'
    assert re.fullmatch(r"/out/moves-[0-9a-f]{16}\.csv", request_of(fixed, event, "key-1").path)


def test_a_file_that_could_not_be_written_is_told(tmp_path: Path) -> None:
    spec = folder(tmp_path, "kind: file\nname: {expression: '\"../\" & $event.id'}\n" + FOLDER)

    with pytest.raises(Refused, match="bad_name"):
        request_of(spec, EVENT, "key-1")


def folder(root: Path, text: str) -> ConnectorSpec:
    (root / "connectors").mkdir(exist_ok=True)
    (root / "connectors/out.yaml").write_text("connector: out\n" + text)
    return load(root, {})["out"]
