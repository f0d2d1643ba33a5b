"""Every trick to make a connector speak to whom it should not, at check and at connect."""

import asyncio
from ipaddress import ip_address
from pathlib import Path

import pytest

from connectors.addresses import Address
from connectors.client import Client
from connectors.http import HttpConnector
from connectors.sender import make_client
from connectors.target import SendFailed, Target
from crossdock.kernel.problems import Refused
from tests.connectors.httpcases import EVENT, NOW, read
from tests.connectors.servers import LOOPBACK, OK, always, serving

REFUSED_AT_CHECK = [
    # loopback and private, as people write them
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "0.0.0.0", "[::1]", "[::]", "[fc00::1]",
    # the same in the forms that C reads
    "2130706433", "0x7f.1", "0x7f000001", "127.1", "127.0.1", "0177.0.0.1", "017700000001", "0", "0x0a.0.0.1",
    "127.0.0.1.", "2130706433.", "127.1.", "0X7F.0.0.1", "012.0.0.1",
    # metadata services
    "169.254.169.254", "2852039166", "0xa9fea9fe", "[fd00:ec2::254]", "100.100.100.200", "169.254.170.2",
    # an IPv4 address within an IPv6 address
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::7f00:1]",
    "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::7f00:1]", "[64:ff9b:1:ffff::8.8.8.8]", "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]", "[2002:808:808::]", "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
    # link-local and its zones, multicast, documentation, broadcast
    "[fe80::1]", "[fe80::1%25eth0]", "224.0.0.1", "[ff02::1]", "192.0.2.1", "[2001:db8::1]", "255.255.255.255",
    "240.0.0.1",
]  # fmt: skip
NOT_EVEN_URLS = [
    "http://user@127.0.0.1/", "http://erp.example@127.0.0.1/", "http://erp.example\\@127.0.0.1/", "file:///etc/passwd",
    "gopher://127.0.0.1/", "http://127.0.0.1\\.erp.example/", "http://erp.example%00.evil/", "http://①②⑦.0.0.1/",
    "http://erp.example:99999/", "http://erp.example:80@evil/", "http:///path", "http://[::1/", "http://erp.example#@evil/",
    "http://erp.example /", "http://erp,example/", "HTTP:/erp.example",
]  # fmt: skip


def codes(root: Path, text: str) -> list[str]:
    with pytest.raises(Refused) as refused:
        read(root, text)
    return [problem.code for problem in refused.value.problems]


@pytest.mark.parametrize("host", REFUSED_AT_CHECK)
def test_an_address_that_is_not_public_is_refused_at_check(tmp_path: Path, host: str) -> None:
    assert codes(tmp_path, f"url: 'http://{host}/'") == ["private_address"]


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433.", "[64:ff9b:1::a9fe:a9fe]", "[2002:7f00:1::]"])
def test_a_token_is_fetched_from_no_such_address(tmp_path: Path, host: str) -> None:
    oauth2 = f"{{token_url: 'https://{host}/token', client_id: a, client_secret: b}}"

    assert codes(tmp_path, f"url: https://erp.example\nauth: {{oauth2: {oauth2}}}") == ["private_address"]


@pytest.mark.parametrize("url", NOT_EVEN_URLS)
def test_what_different_readers_read_differently_is_no_url(tmp_path: Path, url: str) -> None:
    assert codes(tmp_path, f"url: '{url}'") == ["bad_url"]


@pytest.mark.parametrize("network", ["64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0/96", "2002::/16", "::/0"])
@pytest.mark.parametrize("inner", ["7f00:1", "a9fe:a9fe"])
def test_naming_the_network_around_an_address_does_not_name_the_address(
    tmp_path: Path, network: str, inner: str
) -> None:
    hosts = {"2002::/16": f"[2002:{inner}::]", "::/0": f"[::ffff:{inner}]", "::ffff:0:0/96": f"[::ffff:{inner}]"}
    host = hosts.get(network, f"[{network.partition('/')[0]}{inner}]")

    assert codes(tmp_path, f"url: 'http://{host}/'\nnetworks: ['{network}']") == ["private_address"]


RESOLVED = [
    ["127.0.0.1"], ["::1"], ["169.254.169.254"], ["64:ff9b::a9fe:a9fe"], ["64:ff9b:1::7f00:1"], ["2002:7f00:1::"],
    ["2001:0:4136:e378:8000:63bf:3fff:fdd2"], ["::ffff:127.0.0.1"], ["10.0.0.1", "::ffff:10.0.0.1"], ["fe80::1%lo"],
    ["0.0.0.0"],
]  # fmt: skip


@pytest.mark.parametrize("addresses", RESOLVED)
def test_a_name_that_resolves_to_such_an_address_is_not_dialled(addresses: list[str]) -> None:
    async def resolve(_: str, __: int) -> list[Address]:
        return [ip_address(address) for address in addresses]

    async def scenario() -> None:
        async with serving(always(OK)) as server:
            with pytest.raises(SendFailed) as failed:
                await Client(resolve=resolve).request("POST", Target("http", "erp.example", server.port), {}, b"", 5)
            assert (failed.value.code, failed.value.sent, server.connections) == ("private_address", False, 0)

    asyncio.run(scenario())


def test_a_name_is_judged_at_each_dial_and_only_what_was_judged_is_dialled() -> None:
    answers = iter(["127.0.0.1", "169.254.169.254"])

    async def rebinding(_: str, __: int) -> list[Address]:
        return [ip_address(next(answers))]

    async def scenario() -> None:
        async with serving(always(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")) as server:
            client, target = Client(LOOPBACK, resolve=rebinding), Target("http", "erp.example", server.port)
            assert (await client.request("POST", target, {}, b"", 5)).status == 200
            with pytest.raises(SendFailed) as failed:
                await client.request("POST", target, {}, b"", 5)
            assert (failed.value.code, server.connections) == ("private_address", 1)
            await client.close()
            await server.until_ended(1)

    asyncio.run(scenario())


def test_proxies_of_the_environment_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with serving(always(OK)) as proxy, serving(always(OK)) as server:
            for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            client = make_client(read(tmp_path, ""))
            assert (await client.request("POST", server.target(), {}, b"", 5)).status == 200
            assert (proxy.connections, server.connections) == (0, 1)
            await client.close()
            await server.until_ended(1)

    asyncio.run(scenario())


@pytest.mark.parametrize("value", ["a\r\nX-Admin: 1", "a\nb", "a\x00b", "é", "a\x7f"])
def test_what_an_event_brings_into_a_header_cannot_add_another(tmp_path: Path, value: str) -> None:
    spec = read(tmp_path, "headers: {X-Store: {expression: id}}")

    async def scenario() -> None:
        connector = HttpConnector(spec, make_client(spec), lambda: NOW)
        result = await connector.deliver(EVENT._replace(data={"id": value}), "key")
        assert (result.outcome, result.detail.partition(":")[0]) == ("permanent", "bad_header")

    asyncio.run(scenario())
