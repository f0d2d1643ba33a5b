"""Which addresses a connector may dial; asked at check for literal ones and at connect for what was resolved."""

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Written out, because `is_global` of Python 3.11 holds NAT64 and 6to4 for public and changes between versions.
_NOT_PUBLIC_4 = [
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network, unspecified
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, and the metadata services of clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # IETF protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # class E, broadcast
    )
]
_PUBLIC_6 = IPv6Network("2000::/3")  # loopback, mapped, NAT64, ULA, link-local and multicast all lie outside
_NOT_PUBLIC_6 = [
    IPv6Network(text)
    for text in (
        "2001::/23",  # IETF protocol assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
]
_IPV4_IN_LOW_BITS = [
    IPv6Network("::/96"),
    IPv6Network("::ffff:0:0:0/96"),
    IPv6Network("64:ff9b::/96"),
    IPv6Network("64:ff9b:1::/48"),  # NAT64 of a site (RFC 8215), by the /96 that is usual
]


def allowed(address: Address, networks: Iterable[Network]) -> bool:
    """Tell whether an address may be dialled: it is public, or the connector's `networks` name it.

    An address that carries an IPv4 address (mapped, NAT64, 6to4, Teredo) goes where that one is, so it passes
    when `networks` name the inner address, or name the outer one and the inner is public.
    """
    inner = unwrap(address)
    if inner == address:
        return _public(address) or _named(address, networks)
    return _named(inner, networks) or (_public(inner) and _named(address, networks))


def literal(host: str) -> Address | None:
    """Return the address that a host name spells, also in the numeric forms of C (`2130706433`, `0x7f.1`)."""
    host = host.removesuffix(".")  # of a name that is complete: resolvers take it off an address too
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def unwrap(address: Address) -> Address:
    """Return the IPv4 address inside an IPv6 transition form, else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.teredo is not None:
        return address.teredo[1]
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and any(address in network for network in _IPV4_IN_LOW_BITS) and int(address) > 1:
        inner = IPv4Address(int(address) & 0xFFFFFFFF)
    return inner or address


def _public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    return address in _PUBLIC_6 and not any(address in network for network in _NOT_PUBLIC_6)


def _named(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)
