"""Signatures with a timestamp: Stripe's header, and the style that a source describes itself."""

import pytest

from crossdock.kernel.problems import Refused
from tests.gateway.proving import NOW, changes, refusal, request, scheme
from tests.gateway.vectors import COMPUTED, STAMP, STRIPE_BODY, mac

STRIPE = COMPUTED[0]
GOOD = STRIPE.signature.partition(",")[2]


def test_stripe_sends_a_signature_for_each_secret_and_versions_that_are_not_ours() -> None:
    for header in [f"t={STAMP},v1=bad,{GOOD}", f"t={STAMP},{GOOD},v0=bad", f"v0=x,{GOOD},t={STAMP}"]:
        assert refusal(STRIPE.verifier(), STRIPE.request(signature=header)) is None


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("i'm not even a real signature header", "malformed"),
        (f"t={STAMP},v0{GOOD[2:]}", "malformed"),
        (GOOD, "malformed"),
        (f"t={STAMP},t={STAMP},{GOOD}", "malformed"),
        (f"t={STAMP}, {GOOD}", "malformed"),
        (f"t=,{GOOD}", "mismatch"),
        (f"t=,v1={mac(STRIPE.secret, b'.' + STRIPE_BODY).hex()}", "malformed"),
        (f"t={STAMP},v1=bad_signature", "mismatch"),
        (f"t={STAMP}," + "v1=x," * 16 + GOOD, "mismatch"),
        (f"t={STAMP}," + "v1=x," * 100_000 + GOOD, "mismatch"),
    ],
)
def test_stripe_headers_of_other_shapes_are_refused(header: str, reason: str) -> None:
    assert refusal(STRIPE.verifier(), STRIPE.request(signature=header)) == reason


@pytest.mark.parametrize("skew", [-301, 301, -600, 600])
def test_a_timestamp_outside_the_tolerance_is_stale(skew: int) -> None:
    assert refusal(scheme("stripe", STRIPE.secret, now=NOW + skew), STRIPE.request()) == "stale"
    assert refusal(scheme("stripe", STRIPE.secret, now=NOW + skew, tolerance="11m"), STRIPE.request()) is None


@pytest.mark.parametrize("skew", [-300, 0, 300])
def test_a_timestamp_within_the_tolerance_is_good_both_ways(skew: int) -> None:
    assert refusal(scheme("stripe", STRIPE.secret, now=NOW + skew), STRIPE.request()) is None


@pytest.mark.parametrize(
    "stamp", ["hello", "-1", "+1614265330", " 1614265330", "1614265330.0", "1e9", "9" * 5000, "\u00b9"]
)
def test_a_signed_timestamp_that_is_not_a_number_of_seconds_is_malformed(stamp: str) -> None:
    verifier = scheme("hmac", "k", header="x-mac", signed="{timestamp}{body}", timestamp="x-time")
    signature = mac("k", stamp.encode("latin-1") + b"{}").hex()
    assert refusal(verifier, request({"x-mac": signature, "x-time": stamp}, b"{}")) == "malformed"


@pytest.mark.parametrize("name", ["x-time", "x-id"])
def test_every_changed_character_of_what_else_is_signed_fails(name: str) -> None:
    vector = next(vector for vector in COMPUTED if vector.others)
    for value in [*changes(vector.others[name].encode()), b""]:
        changed = vector._replace(others=vector.others | {name: value.decode("latin-1")})
        assert refusal(vector.verifier(), changed.request())


@pytest.mark.parametrize(
    "options",
    [
        {"signed": "{timestamp}"},
        {"signed": "{body}{secret}"},
        {"signed": "{body}{"},
        {"signed": "{body}}"},
        {"signed": "{body!r}"},
        {"signed": "{timestamp}.{body}"},
        {"timestamp": "x-time"},
        {"id": "x-id"},
        {"url": "https://a.example"},
        {"header": "x signature"},
        {"prefix": "s\u20ac="},
    ],
)
def test_a_description_that_would_prove_nothing_is_a_problem_of_the_file(options: dict[str, str]) -> None:
    with pytest.raises(Refused) as refused:
        scheme("hmac", "k-secret", **({"header": "x-signature"} | options))
    (problem,) = refused.value.problems
    assert problem.code == "bad_value"
    assert "k-secret" not in str(problem)
