"""What a connector file of the kind `http` may say besides what every connector has."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.answers import BY_STATUS, Answers
from connectors.body import AS_JSON, Body
from connectors.formula import Formula
from connectors.oauth2 import OAuth2
from connectors.sign import Hmac
from connectors.target import Target
from connectors.tlsfiles import TlsFiles


@dataclass(frozen=True, slots=True)
class Form:
    """How a request differs from a plain post: what expressions make of an event, and how the body is written."""

    path: Formula | None = None
    query: Mapping[str, Formula] = field(default_factory=dict)
    headers: Mapping[str, Formula] = field(default_factory=dict)
    body: Body = AS_JSON
    cloudevents: bool = True


@dataclass(frozen=True, slots=True)
class Batch:
    """Up to `most` events in one request, gathered for `within` seconds; `results` tells what came of each."""

    most: int
    within: float
    wrap: Formula | None = None
    results: Formula | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The event that an answer becomes: its type and major version, and its data."""

    type: str
    major: int
    map: Formula


@dataclass(frozen=True, slots=True)
class Csrf:
    """Where a token is fetched, how, and the header that asks for it, brings it and proves it (in lower case)."""

    target: Target
    method: str = "GET"
    header: str = "x-csrf-token"


@dataclass(frozen=True, slots=True)
class Check:
    """What `probe` asks, and the statuses that are right; any 2xx if there are none."""

    target: Target
    method: str = "GET"
    expect: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Poll:
    """How items are fetched: the request, what of the answer they are, where the next page is.

    That is in the Link header, or the query parameter `parameter` holds what `cursor` finds, or a number from `first`.
    """

    target: Target
    items: Formula | None
    query: Mapping[str, Formula] = field(default_factory=dict)
    watermark: Formula | None = None
    link: bool = False
    cursor: Formula | None = None
    parameter: str = ""
    first: int = 1
    pages: int = 100


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """Where requests go; `headers` include those of `auth`, names in lower case; `keys` sign every attempt.

    `form` is None where the data is posted as it is.
    """

    target: Target
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    keys: tuple[bytes, ...] = field(default=(), repr=False)
    method: str = "POST"
    form: Form | None = None
    answers: Answers = BY_STATUS
    tls: TlsFiles | None = None
    oauth2: OAuth2 | None = None
    hmac: Hmac | None = None
    csrf: Csrf | None = None
    batch: Batch | None = None
    reply: Reply | None = None
    check: Check | None = None
    poll: Poll | None = None
