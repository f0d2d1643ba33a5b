"""OAuth 2 client credentials (RFC 6749, section 4.4): a token for all attempts, fetched again before it ends."""

import asyncio
import base64
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, urlencode

from connectors.assertion import TYPE, SigningKey
from connectors.client import Client
from connectors.connection import Response
from connectors.singleflight import SingleFlight
from connectors.target import SendFailed, Target, start_line, write_head
from crossdock.kernel import jsontext
from crossdock.kernel.problems import Refused

UNTOLD = 3600.0  # seconds a token is used whose end nobody tells; a 401 ends it before
EARLY = 30.0  # seconds before its end that a token is used no more, or a tenth of its life if that is less
_TOKEN = re.compile(r"[\x21-\x7e]{1,16000}\Z")
_CODE = re.compile(r"[\x20-\x7e]{1,60}\Z")  # RFC 6749, section 5.2: printable ASCII


@dataclass(frozen=True, slots=True)
class OAuth2:
    """Where tokens come from and what for; `in_body` sends the client's secret in the form and not as Basic.

    A client with a `key` has no secret.
    """

    target: Target
    client_id: str
    client_secret: str = field(default="", repr=False)
    scope: str = ""
    audience: str = ""
    in_body: bool = False
    key: SigningKey | None = None


class Tokens:
    """The token of one connector; who needs one while it is being fetched waits for the same answer."""

    def __init__(
        self, spec: OAuth2, client: Client, timeout: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._spec = spec
        self._client = client
        self._timeout = timeout
        self._clock = clock
        self._ends = 0.0
        self._fetching = SingleFlight(self._fetch)
        self.held = ""

    async def get(self, within: float) -> str:
        """Return a token that is good for now, after at most so many seconds.

        Raises:
            SendFailed: `oauth2` when none is given, else why there is no answer; nothing was delivered then.
        """
        if self.held and self._clock() < self._ends:
            return self.held
        try:
            return await asyncio.wait_for(self._fetching.get(), within)
        except TimeoutError:
            raise SendFailed("timeout", "no token in time", sent=False) from None
        except SendFailed as failure:
            raise SendFailed(failure.code, _without_code(failure), sent=False) from None

    def drop(self, token: str) -> None:
        """Use a token no more, which the target did not take."""
        if token == self.held:
            self.held = ""

    async def _fetch(self) -> str:
        headers, body = request(self._spec, int(time.time()))
        data = write_head(start_line("POST", self._spec.target), headers, len(body)) + body
        began = self._clock()
        self.held, life = read_token(await self._client.send(self._spec.target, data, self._timeout))
        self._ends = began + life - min(EARLY, life / 10)
        return self.held


def request(spec: OAuth2, now: int) -> tuple[dict[str, str], bytes]:
    """Return the headers and the form that ask for a token; `now` is in Unix seconds."""
    asked = {"grant_type": "client_credentials", "scope": spec.scope, "audience": spec.audience}
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    if spec.key is not None:
        audience = f"{spec.target.scheme}://{spec.target.authority}{spec.target.path}"
        proof = spec.key.assertion(spec.client_id, audience, spec.scope, now)
        asked |= {"client_assertion_type": TYPE, "client_assertion": proof}
    elif spec.in_body:
        asked |= {"client_id": spec.client_id, "client_secret": spec.client_secret}
    else:
        headers["authorization"] = f"Basic {basic(spec)}"
    return headers, urlencode({name: text for name, text in asked.items() if text}).encode()


def basic(spec: OAuth2) -> str:
    """Return the client's credentials (RFC 6749, section 2.3.1: form-encoded before they are joined)."""
    pair = f"{quote_plus(spec.client_id)}:{quote_plus(spec.client_secret)}"
    return base64.b64encode(pair.encode()).decode()


def read_token(response: Response) -> tuple[str, float]:
    """Return the token of an answer and its life in seconds.

    Raises:
        SendFailed: `oauth2`, with the error code of the endpoint and nothing else of what it says.
    """
    try:
        said: Any = jsontext.loads(response.body)
    except Refused:
        said = {}
    said = said if isinstance(said, Mapping) else {}
    if response.status != 200:
        code = said.get("error")
        told = f" {code}" if isinstance(code, str) and _CODE.match(code) else ""
        raise SendFailed("oauth2", f"the token endpoint answers {response.status}{told}", sent=False)
    token, kind = said.get("access_token"), said.get("token_type", "Bearer")
    if not isinstance(token, str) or not _TOKEN.match(token) or str(kind).lower() != "bearer":
        raise SendFailed("oauth2", "the token endpoint answers without a bearer token", sent=False)
    return token, _life(said.get("expires_in"))


def _life(told: Any) -> float:
    """Return a life in seconds; some servers give it as text."""
    try:
        return max(float(told), 0.0) if told is not None else UNTOLD
    except (TypeError, ValueError):
        return UNTOLD


def _without_code(failure: SendFailed) -> str:
    return failure.detail if failure.code == "oauth2" else f"for a token: {failure.detail}"
