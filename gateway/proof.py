"""What a request shows of its sender, and the one answer to all that do not show enough; see `gateway.verify`."""

from collections.abc import Mapping
from typing import Literal, NamedTuple, Protocol

from crossdock.kernel.problems import Problem, Refused

Reason = Literal["missing", "malformed", "mismatch", "stale", "unknown_key", "closed"]
UNAUTHORIZED = Problem(
    "unauthorized", "the request does not prove who sent it", "send the key or the signature agreed for this address"
)


class Request(NamedTuple):
    """A request as it was received.

    `path` and `query` are as written on the request line. Header names are in lower case, values in latin-1; a header
    that is given twice is one value, joined by ", ". `body` is raw, `client` the address of the TCP peer.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    client: str


class Unverified(Refused):
    """A request that proves nothing; the sender always hears the same, the reason is for the operator's counters."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__((UNAUTHORIZED,))


class Verifier(Protocol):
    """One source's way of telling its sender from everybody else."""

    reads_body: bool  # else it can be asked before a byte of the body is read

    async def verify(self, request: Request) -> None:
        """Return if the request comes from the partner.

        Raises:
            Unverified: with the same problem, whatever is wrong.
            Unavailable: what is needed to tell cannot be had at the moment.
        """


class Closed:
    """Takes nothing: the secrets of the source are not set. It answers when an open one would: nobody can tell."""

    def __init__(self, *, reads_body: bool) -> None:
        self.reads_body = reads_body

    async def verify(self, request: Request) -> None:
        """Refuse the request."""
        raise Unverified("closed")


def header(request: Request, name: str) -> str:
    """Return the value of a header.

    Raises:
        Unverified: it is missing or empty.
    """
    value = request.headers.get(name)
    if not value:
        raise Unverified("missing")
    return value


def octets(text: str) -> bytes:
    """Return the bytes of a header's value as they were received.

    Raises:
        Unverified: it holds characters that no byte stands for.
    """
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise Unverified("malformed") from None


def credentials(request: Request, scheme: str) -> bytes:
    """Return what stands in the Authorization header after a scheme in lower case (RFC 9110, section 11.4).

    Raises:
        Unverified: there is none, or of another scheme.
    """
    kind, _, given = header(request, "authorization").partition(" ")
    if kind.lower() != scheme:
        raise Unverified("missing")
    return octets(given.strip(" "))
