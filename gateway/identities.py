"""Senders that are known by what they are given: a user and password, or a certificate that a proxy has checked."""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from connectors.addresses import Address, Network
from crossdock.kernel.problems import refuse
from gateway.proof import Request, Unverified, credentials, header
from gateway.signatures import any_equal

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Basic:
    """Verifies HTTP Basic credentials (RFC 7617) in UTF-8; each secret is a password."""

    reads_body = False

    def __init__(self, user: str, secrets: Sequence[str]) -> None:
        if ":" in user or any(map(_CONTROL.search, (user, *secrets))):
            raise refuse("bad_value", "a user with a colon or a control character in it cannot be sent (RFC 7617)")
        self._digests = [_digest(f"{user}:{secret}".encode()) for secret in secrets]

    async def verify(self, request: Request) -> None:
        """See `Verifier`."""
        given = credentials(request, "basic")
        try:
            pair = base64.b64decode(given, validate=True)
        except binascii.Error:
            raise Unverified("malformed") from None
        if base64.b64encode(pair) != given:
            raise Unverified("malformed")
        if not any_equal(self._digests, [_digest(pair)]):
            raise Unverified("mismatch")


def _digest(pair: bytes) -> bytes:
    """Return bytes of one length, so that comparing does not tell how long a password is."""
    return hashlib.sha256(pair).digest()


class ProxyCertificate:
    """Verifies the header in which a proxy of ours names the client certificate that it has checked.

    It is believed from the proxy's own addresses only, and when it is one value: a comma is how a header that was
    sent by the client comes through together with the proxy's (RFC 9110, section 5.3).
    """

    reads_body = False

    def __init__(self, name: str, values: Sequence[str], networks: Sequence[Network]) -> None:
        if any("," in value for value in values):
            hint = "let the proxy send the fingerprint of the certificate in place of its whole name"
            raise refuse("bad_value", "a value with a comma is not told from two values", hint)
        self._name = name.lower()
        self._values = values
        self._networks = networks

    async def verify(self, request: Request) -> None:
        """See `Verifier`."""
        value = header(request, self._name)
        if not self._trusted(request.client) or value not in self._values:
            raise Unverified("mismatch")

    def _trusted(self, client: str) -> bool:
        try:
            address: Address = ip_address(client)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped:  # a socket for both families says it so
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)


def make_proxy_certificate(options: Mapping[str, Any]) -> ProxyCertificate:
    """Return the verifier of a source's options.

    Raises:
        Refused: `bad_value`, `bad_network`.
    """
    values = options["values"] if "values" in options else [options["value"]]
    return ProxyCertificate(options["header"], tuple(values), networks(options["networks"]))


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return networks written as CIDR.

    Raises:
        Refused: `bad_network`.
    """
    try:
        return tuple(ip_network(text) for text in texts)
    except ValueError as error:
        raise refuse("bad_network", str(error), "such as 10.0.0.0/8") from None
