"""Questions that senders ask before they send: OPTIONS of CloudEvents webhooks, and GET with a challenge."""

import hmac
import re
from collections.abc import Mapping

from crossdock.kernel.problems import Refused, refuse
from crossdock.source import SourceSpec
from crossdock.sourceparts import Handshake
from gateway.answers import TEXT, Answer
from gateway.proof import UNAUTHORIZED

_ALLOW = (b"allow", b"GET, POST, OPTIONS")
_ECHO = re.compile(r"[A-Za-z0-9._~+/=-]{1,512}\Z")  # text that no browser takes for a page
_PING = re.compile(rb"webhook_id=[0-9]{1,20}\Z")
_ORIGIN = re.compile(r"[A-Za-z0-9.:/_*-]{1,256}\Z")


def options(headers: Mapping[str, str], source: SourceSpec | None) -> Answer:
    """Return the permission of CloudEvents' webhook specification, section 4, or what methods there are."""
    origin = headers.get("webhook-request-origin", "")
    if not _ORIGIN.match(origin):
        return Answer(204, b"", headers=(_ALLOW,))
    rate = source.limits.rate if source is not None else 0
    a_minute = b"%d" % max(1, int(rate * 60)) if rate else b"*"
    allowed = ((b"webhook-allowed-origin", origin.encode()), (b"webhook-allowed-rate", a_minute))
    return Answer(200, b"", TEXT, headers=(_ALLOW, *allowed))


def challenge(handshake: Handshake | None, query: Mapping[str, str]) -> Answer:
    """Return the challenge that the sender put into the query.

    Raises:
        Refused: `unauthorized`, the token is not one of ours; `invalid_request`, there is no challenge to echo;
            `not_found`, the source answers none.
    """
    if handshake is None:
        raise refuse("not_found", "this source answers no challenge", "send with POST")
    if handshake.token:
        given = query.get(handshake.token, "").encode()
        same = [
            hmac.compare_digest(given, secret.encode()) for secret in handshake.secrets
        ]  # all, whatever the first says
        if True not in same:
            raise Refused([UNAUTHORIZED])
    text = query.get(handshake.challenge, "")
    if not _ECHO.match(text):
        raise refuse("invalid_request", f"the parameter {handshake.challenge} holds no challenge")
    return Answer(200, text.encode(), TEXT, headers=((b"x-content-type-options", b"nosniff"),))


def is_ping(source: SourceSpec, body: bytes) -> bool:
    """Tell whether this is what WooCommerce posts, unsigned, when a webhook is saved; it wants to hear 200."""
    return source.verify.scheme == "woocommerce" and _PING.match(body) is not None
