"""Which addresses a connector may dial."""

from ipaddress import ip_address, ip_network

import pytest

from connectors.addresses import allowed, literal, unwrap

NOT_PUBLIC = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "198.18.0.1",
    "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1",
    "64:ff9b::a9fe:a9fe", "64:ff9b::8.8.8.8", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2002:808:808::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1", "2001:10::1", "2001:db8::1", "3fff::1",
    "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "100::1", "5f00::1", "4000::1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "2a00:1450::1"]


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_an_address_that_is_not_public_is_refused(text: str) -> None:
    assert not allowed(ip_address(text), [])


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_is_allowed(text: str) -> None:
    assert allowed(ip_address(text), [])


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10.1.2.3", "10.0.0.0/8"),
        ("::1", "::1/128"),
        ("::ffff:10.1.2.3", "10.0.0.0/8"),
        ("64:ff9b::a01:203", "10.0.0.0/8"),
        ("2002:a01:203::", "10.0.0.0/8"),
        ("64:ff9b::808:808", "64:ff9b::/96"),  # NAT64 to a public address
        ("fd00::1", "fd00::/8"),
    ],
)
def test_a_network_named_by_the_connector_is_allowed(text: str, network: str) -> None:
    assert allowed(ip_address(text), [ip_network(network)])


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10.1.2.3", "192.168.0.0/16"),
        ("64:ff9b::a9fe:a9fe", "64:ff9b::/96"),  # naming the wrapper does not name what is inside
        ("::ffff:127.0.0.1", "::/0"),
        ("127.0.0.1", "::/0"),
    ],
)
def test_a_network_that_names_something_else_does_not_help(text: str, network: str) -> None:
    assert not allowed(ip_address(text), [ip_network(network)])


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "0177.0.0.1", "0x7f000001"])
def test_numeric_spellings_of_loopback_are_recognised(host: str) -> None:
    assert literal(host) == ip_address("127.0.0.1")


@pytest.mark.parametrize("host", ["localhost", "erp.example", "10.example", "", "é"])
def test_a_name_is_no_literal(host: str) -> None:
    assert literal(host) is None


def test_loopback_and_unspecified_are_not_taken_for_wrapped_addresses() -> None:
    assert unwrap(ip_address("::1")) == ip_address("::1")
    assert unwrap(ip_address("::")) == ip_address("::")
