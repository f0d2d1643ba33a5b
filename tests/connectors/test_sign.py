"""Deliveries signed by the Standard Webhooks specification, as its official client reads them."""

import asyncio
import base64
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from connectors.client import Client
from connectors.http import HttpConnector
from connectors.httpspec import HttpOptions
from connectors.reading import load
from connectors.sign import decode_key, signed
from connectors.spec import ConnectorSpec
from connectors.target import Target
from crossdock.kernel.event import Event
from crossdock.kernel.problems import Problem, Refused
from tests.connectors.servers import LOOPBACK, OK, Served, serving

OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEW = "whsec_" + base64.b64encode(bytes(range(32))).decode()
EVENT = Event("1", "/tills/7", "inventory.sold", {"n": 2**60, "name": "Tee ☕"})
SPEC = ConnectorSpec("erp", "http", HttpOptions(Target("http", "127.0.0.1", 1)), timeout=5, networks=LOOPBACK)
FILE = "connector: erp\nkind: http\nurl: https://erp.example/in\nsign: {standard_webhooks: %s}\n"
Request = tuple[dict[str, str], bytes]


def options(spec: ConnectorSpec, **changes: Any) -> ConnectorSpec:
    return replace(spec, options=replace(spec.options, **changes))


def requests(spec: ConnectorSpec, times: list[float]) -> list[Request]:
    """Deliver an event at each of these times; return what the target got."""
    got: list[Request] = []

    async def behave(served: Served) -> None:
        while True:
            head, _, body = (await served.request()).partition(b"\r\n\r\n")
            lines = [line.partition(": ") for line in head.decode().split("\r\n")[1:]]
            got.append(({name: value for name, _, value in lines}, body))
            await served.answer(OK)

    async def scenario() -> None:
        async with serving(behave) as server:
            there = options(spec, target=server.target())
            connector = HttpConnector(there, Client(there.networks, max_connections=1), iter(times).__next__)
            for _ in times:
                await connector.deliver(EVENT, "key-1")
            await connector.close()

    asyncio.run(scenario())
    return got


def test_the_vector_of_the_specification_is_met() -> None:
    headers = signed([decode_key(OLD)], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_the_official_client_believes_every_secret_during_a_rotation(secret: str) -> None:
    ((headers, body),) = requests(options(SPEC, keys=(decode_key(NEW), decode_key(OLD))), [time.time()])

    assert Webhook(secret).verify(body, headers) == EVENT.data


def test_the_official_client_believes_no_other_secret_id_time_or_body() -> None:
    ((headers, body),) = requests(options(SPEC, keys=(decode_key(OLD),)), [time.time()])

    for changed, there, secret in (
        (headers, body, NEW),
        (headers, body + b" ", OLD),
        (headers | {"webhook-id": "key-2"}, body, OLD),
        (headers | {"webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}, body, OLD),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(there, changed)


def test_each_attempt_is_signed_at_its_own_time_under_the_same_id() -> None:
    first, second = (headers for headers, _ in requests(options(SPEC, keys=(decode_key(OLD),)), [1e9, 1e9 + 60]))

    assert first["webhook-id"] == second["webhook-id"] == "key-1"
    assert (first["webhook-timestamp"], second["webhook-timestamp"]) == ("1000000000", "1000000060")
    assert first["webhook-signature"] != second["webhook-signature"]


def write(root: Path, sign: str, more: str = "") -> Path:
    (root / "connectors").mkdir(exist_ok=True)
    (root / "connectors" / "erp.yaml").write_text(FILE % sign + more)
    return root


def refused(root: Path) -> list[Problem]:
    with pytest.raises(Refused) as caught:
        load(root, {})
    return list(caught.value.problems)


def test_a_file_names_one_secret_or_several_and_shows_none_of_them(tmp_path: Path) -> None:
    one = load(write(tmp_path, '{secret: "${NAME}"}'), {"NAME": OLD})["erp"]
    two = load(write(tmp_path, f'{{secrets: ["{NEW}", "{OLD.removeprefix("whsec_")}"]}}'), {})["erp"]

    assert one.options.keys == (decode_key(OLD),)
    assert two.options.keys == (decode_key(NEW), decode_key(OLD))
    assert "MfKQ9r8" not in repr(one) + repr(two)


@pytest.mark.parametrize(
    "secret", ["whsec_" + "x" * 31, "whsec_c2hvcnQ=", "not base64 at all", "whsk_" + "a" * 32, "whsec_" + "a" * 100]
)
def test_a_secret_of_another_shape_is_a_problem_that_does_not_show_it(tmp_path: Path, secret: str) -> None:
    (problem,) = refused(write(tmp_path, f'{{secret: "{secret}"}}'))

    assert (problem.code, problem.file, problem.line) == ("bad_secret", "connectors/erp.yaml", 4)
    assert secret not in str(problem)


@pytest.mark.parametrize("name", ["webhook-timestamp", "Webhook-Signature"])
def test_a_header_that_the_signature_needs_cannot_be_set_by_a_file(tmp_path: Path, name: str) -> None:
    (problem,) = refused(write(tmp_path, f"{{secret: {OLD}}}", f'headers: {{{name}: "1"}}\n'))

    assert problem.code == "bad_header"
