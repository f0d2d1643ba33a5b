"""Vendors' signatures: the vectors they publish are accepted, and nothing that differs from them by a byte."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.gateway.proving import changes, refusal, request, scheme, shortened_and_lengthened
from tests.gateway.vectors import PUBLISHED, SHOP_BODY, VECTORS, Vector, b64, mac

CORPORA = Path(os.environ.get("CROSSDOCK_SHARED", Path(__file__).parents[3] / "shared")) / "corpora"
named = pytest.mark.parametrize("vector", VECTORS, ids=[f"{i} {vector.scheme}" for i, vector in enumerate(VECTORS)])


@named
def test_what_a_vendor_signed_is_accepted(vector: Vector) -> None:
    assert refusal(vector.verifier(), vector.request()) is None


@named
def test_every_changed_byte_of_the_body_fails(vector: Vector) -> None:
    verifier = vector.verifier()
    for body in [*changes(vector.body), *shortened_and_lengthened(vector.body)]:
        assert refusal(verifier, vector.request(body=body)) == "mismatch"


@named
def test_every_changed_character_of_the_signature_fails(vector: Vector) -> None:
    verifier, written = vector.verifier(), vector.signature.encode()
    for signature in [*changes(written), *shortened_and_lengthened(written)[:-2]]:
        assert refusal(verifier, vector.request(signature=signature.decode("latin-1")))


@named
def test_every_changed_character_of_the_secret_fails(vector: Vector) -> None:
    for secret in [*changes(vector.secret.encode()), *shortened_and_lengthened(vector.secret.encode())[:-1]]:
        assert refusal(vector.verifier(secret=secret.decode("latin-1")), vector.request()) == "mismatch"


@named
def test_either_secret_is_good_while_one_replaces_the_other(vector: Vector) -> None:
    for secrets in [("another", vector.secret), (vector.secret, "another")]:
        assert refusal(scheme(vector.scheme, *secrets, **vector.options), vector.request()) is None


@named
def test_a_request_without_the_header_is_refused(vector: Vector) -> None:
    assert refusal(vector.verifier(), request(vector.others, vector.body)) == "missing"
    assert refusal(vector.verifier(), vector.request(signature="")) == "missing"


@named
@given(signature=st.text(st.characters(max_codepoint=255), max_size=80))
def test_no_garbage_in_the_header_is_anything_but_a_refusal(vector: Vector, signature: str) -> None:
    assert refusal(vector.verifier(), vector.request(signature=signature))


@named
def test_characters_that_no_header_can_hold_are_refused(vector: Vector) -> None:
    assert refusal(vector.verifier(), vector.request(signature=vector.signature + "\u20ac")) == "malformed"


def test_the_signature_of_another_partner_is_refused() -> None:
    mine, theirs = (Vector("shopify", s, "x-shopify-hmac-sha256", b64(mac(s, SHOP_BODY)), SHOP_BODY) for s in "ab")
    assert refusal(mine.verifier(), theirs.request()) == "mismatch"


def test_the_address_is_part_of_what_square_signs() -> None:
    vector = PUBLISHED[1]
    assert refusal(scheme("square", vector.secret, url="https://webhook.site/79a4f3a"), vector.request()) == "mismatch"


@pytest.mark.skipif(not CORPORA.is_dir(), reason="no corpora: set CROSSDOCK_SHARED to the folder above")
def test_easypost_signs_with_its_secret_in_normal_form_kd() -> None:
    # EasyPost/examples, official/fixtures: secret and signature of client-library-fixtures.json
    body = (CORPORA / "easypost" / "event-body.json").read_bytes().rstrip(b"\n")
    signature = "hmac-sha256-hex=38f3f53c103713df81616a0a186d77141957323ec21d5fe9363db93840f527db"
    for secret in ("s\u00e9cret", "se\u0301cret"):
        verifier = scheme("easypost", secret)
        assert refusal(verifier, request({"x-hmac-signature": signature}, body)) is None
        assert refusal(verifier, request({"x-hmac-signature": signature}, body + b"\n")) == "mismatch"
    assert refusal(scheme("easypost", "secret"), request({"x-hmac-signature": signature}, body)) == "mismatch"
