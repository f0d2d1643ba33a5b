"""Which address of a host outside is dialled: one that a connector may dial, and that one only."""

import socket
from collections.abc import Sequence
from ipaddress import ip_address

from connectors.addresses import Network, allowed
from connectors.port import Fault


def resolve(host: str, port: int, networks: Sequence[Network]) -> str:
    """Return the first address of a host that may be dialled.

    Raises:
        Fault: retry, there is no such name now; permanent, all its addresses are private ones.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Fault("retry", f"connect: {host}: {getattr(error, 'strerror', None) or 'not a name'}") from None
    addresses = [str(info[4][0]) for info in found]
    for address in addresses:
        if allowed(ip_address(address), networks):
            return address
    message = f"private_address: {addresses[0]} is not a public address and not under networks"
    raise Fault("permanent", message)
