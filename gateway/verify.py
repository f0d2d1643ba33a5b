"""How each scheme of `verify` is made into a verifier; the schemes themselves are in the files imported here."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from crossdock.kernel.units import seconds
from crossdock.sourceparts import Verify
from gateway.adyen import Adyen
from gateway.identities import Basic, make_proxy_certificate
from gateway.proof import Closed, Verifier
from gateway.signatures import STYLES, TOLERANCE, Clock, Signed, Stripe, custom_style
from gateway.standard_webhooks import StandardWebhooks
from gateway.tokens import make_bearer

_Maker = Callable[[Verify, Clock], Verifier]
_SECRETLESS = ("jwt", "proxy_mtls")
_IN_THE_HEAD = (*_SECRETLESS, "basic")  # what these want to see stands before the body


def make_verifier(verify: Verify, clock: Clock = time.time) -> Verifier:
    """Return what verifies the requests of a source; `clock` gives Unix seconds.

    A source whose secrets are not set is closed, after its options were looked at.

    Raises:
        Refused: `bad_value`, `bad_secret` and others, for options or secrets of a wrong shape; never with a secret.
    """
    made = _SCHEMES[verify.scheme](verify, clock)
    return made if verify.secrets or verify.scheme in _SECRETLESS else closed(verify)


def closed(verify: Verify) -> Closed:
    """Return what takes nothing, in place of what a source's secrets would make."""
    return Closed(reads_body=verify.scheme not in _IN_THE_HEAD)


def _signed(verify: Verify, clock: Clock) -> Verifier:
    return Signed(STYLES[verify.scheme], verify.secrets, clock)


def _square(verify: Verify, clock: Clock) -> Verifier:
    return Signed(replace(STYLES["square"], url=verify.options["url"]), verify.secrets, clock)


def _aftership(verify: Verify, clock: Clock) -> Verifier:
    return Signed(STYLES[f"aftership {verify.options.get('product', 'tracking')}"], verify.secrets, clock)


def _stripe(verify: Verify, clock: Clock) -> Verifier:
    return Stripe(replace(STYLES["stripe"], tolerance=_tolerance(verify)), verify.secrets, clock)


def _hmac(verify: Verify, clock: Clock) -> Verifier:
    return Signed(custom_style(verify.options), verify.secrets, clock)


def _standard_webhooks(verify: Verify, clock: Clock) -> Verifier:
    return StandardWebhooks(verify.secrets, _tolerance(verify), clock)


def _adyen(verify: Verify, _: Clock) -> Verifier:
    return Adyen(verify.secrets)


def _basic(verify: Verify, _: Clock) -> Verifier:
    return Basic(verify.options["user"], verify.secrets)


def _jwt(verify: Verify, _: Clock) -> Verifier:
    return make_bearer(verify.options, verify.keys)


def _proxy_mtls(verify: Verify, _: Clock) -> Verifier:
    return make_proxy_certificate(verify.options)


def _tolerance(verify: Verify) -> float:
    return seconds(verify.options.get("tolerance", TOLERANCE))


_SCHEMES: Mapping[str, _Maker] = {
    "adyen": _adyen,
    "aftership": _aftership,
    "basic": _basic,
    "easypost": _signed,
    "github": _signed,
    "hmac": _hmac,
    "jwt": _jwt,
    "proxy_mtls": _proxy_mtls,
    "shopify": _signed,
    "square": _square,
    "standard_webhooks": _standard_webhooks,
    "stripe": _stripe,
    "woocommerce": _signed,
}
