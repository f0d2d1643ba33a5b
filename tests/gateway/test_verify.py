"""What all schemes have in common: one refusal for everything, no secret shown, closed without secrets."""

from typing import Any

import pytest

from crossdock.sourceparts import Verify
from gateway.proof import UNAUTHORIZED
from gateway.verify import make_verifier
from tests.gateway.proving import refusal, request, scheme

NEEDS: dict[str, dict[str, Any]] = {
    "basic": {"user": "u"},
    "hmac": {"header": "x-mac"},
    "standard_webhooks": {},
    "shopify": {},
    "stripe": {},
    "github": {},
    "square": {"url": "https://a.example/hook"},
    "adyen": {},
    "easypost": {},
    "woocommerce": {},
    "aftership": {},
}
SECRET = "5ecc" * 12  # good base64 and good hex


@pytest.mark.parametrize("name", NEEDS)
def test_a_source_without_secrets_is_closed(name: str) -> None:
    assert refusal(scheme(name, **NEEDS[name]), request({}, b"{}")) == "closed"


@pytest.mark.parametrize("name", NEEDS)
def test_no_refusal_and_no_name_of_a_verifier_shows_a_secret(name: str) -> None:
    made = scheme(name, SECRET, **NEEDS[name])
    assert refusal(made, request({}, b"{}")) in ("missing", "malformed")
    assert SECRET not in repr(made) + repr(Verify(name, NEEDS[name], (SECRET,))) + str(UNAUTHORIZED)


@pytest.mark.parametrize("name", NEEDS)
def test_only_what_is_in_a_header_alone_is_proven_before_the_body_is_read(name: str) -> None:
    assert scheme(name, SECRET, **NEEDS[name]).reads_body == (name != "basic")


def test_the_options_of_a_closed_source_are_checked_too() -> None:
    with pytest.raises(Exception, match="leaves out"):
        make_verifier(Verify("hmac", {"header": "x", "signed": "x"}, ()))
