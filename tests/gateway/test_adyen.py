"""Adyen: its published notifications verify item by item, its other webhooks by their raw body."""

import base64
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.kernel.problems import Refused
from gateway.proof import Request
from tests.gateway.proving import changes, refusal, request, scheme, shortened_and_lengthened
from tests.gateway.vectors import ADYEN_ITEM, ADYEN_KEY, ADYEN_SIGNATURE

# Adyen/adyen-python-api-library, test/UtilTest.py and test/mocks/util; the last one also in adyen-dotnet-api-library
SLASH_KEY = "74F490DD33F7327BAECC88B2947C011FC02D014A473AAA33A8EC93E4DC069174"
SLASHES = [
    ("T7FD4VM4D3RZNN82", r"\\slashes are fun", "nIgT81gaB5oJpn2jPXupDq68iRo2wUlBsuYjtYfwKqo="),
    ("M8NB66SBZSGLNK82", ":slashes are fun", "2EQYm7YJpKO4EtHSPu55SQTyWf8dkW5u2nD1tJFpViA="),
    ("X3GWNS6KJ8NKGK82", "//slashes are fun", "9Z0xdpG9Xi3zcmXv14t/BvMBut77O/Xq9D4CQXSDUi4="),
    ("ZVWN7D3WSMK2WN82", r"\:/\/slashes are fun", "CZErGCNQaSsxbaQfZaJlakqo7KPP+mIa8a+wx3yNs9A="),
]
MERCHANT_BODY = b"""
        {
            "type": "merchant.created",
            "environment": "test",
            "createdAt": "01-01-2024",
            "data": {
                "capabilities": {
                    "sendToTransferInstrument": {
                        "requested": true,
                        "requestedLevel": "notApplicable"
                    }
                },
                "companyId": "YOUR_COMPANY_ID",
                "merchantId": "YOUR_MERCHANT_ACCOUNT",
                "status": "PreActive"
            }
        }
        """
MERCHANT_SIGNATURE = "fX74xUdztFmaXAn3IusMFFUBUSkLmDQUK0tm8xL6ZTU="


def item(signature: str = ADYEN_SIGNATURE, **changed: Any) -> dict[str, Any]:
    return {**ADYEN_ITEM, "additionalData": {"hmacSignature": signature}, **changed}


def slashed(reference: str, text: str, signature: str) -> dict[str, Any]:
    amount = {"currency": "EUR", "value": 1000}
    known = {"merchantAccountCode": "AntoniStroinski", "amount": amount, "merchantReference": text}
    return item(signature, pspReference=reference, **known)


def notification(*items: Any) -> Request:
    members = [{"NotificationRequestItem": one} for one in items]
    return request({}, json.dumps({"live": "false", "notificationItems": members}).encode())


def test_the_published_notification_is_accepted() -> None:
    assert refusal(scheme("adyen", ADYEN_KEY), notification(item())) is None
    assert refusal(scheme("adyen", "00" * 32, ADYEN_KEY.lower()), notification(item())) is None


@pytest.mark.parametrize("published", SLASHES, ids=["backslash", "colon", "slash", "mixed"])
def test_nothing_is_escaped(published: tuple[str, str, str]) -> None:
    assert refusal(scheme("adyen", SLASH_KEY), notification(slashed(*published))) is None


def test_every_item_must_verify() -> None:
    good = [slashed(*published) for published in SLASHES]
    assert refusal(scheme("adyen", SLASH_KEY), notification(*good)) is None
    assert refusal(scheme("adyen", SLASH_KEY), notification(*good, item())) == "mismatch"
    assert refusal(scheme("adyen", SLASH_KEY, ADYEN_KEY), notification(*good, item())) is None


def test_every_changed_character_of_a_signed_field_fails() -> None:
    verifier = scheme("adyen", ADYEN_KEY)
    for name in ("pspReference", "merchantAccountCode", "merchantReference", "eventCode", "success"):
        for text in [*changes(ADYEN_ITEM[name].encode()), b"", ADYEN_ITEM[name].encode() + b" "]:  # type: ignore[attr-defined]
            assert refusal(verifier, notification(item(**{name: text.decode("latin-1")}))) == "mismatch"
    for amount in ({"currency": "EUR", "value": 1131}, {"currency": "EUS", "value": 1130}):
        assert refusal(verifier, notification(item(amount=amount))) == "mismatch"
    assert refusal(verifier, notification(item(originalReference="x"))) == "mismatch"


def test_every_changed_character_of_the_signature_fails() -> None:
    verifier = scheme("adyen", ADYEN_KEY)
    for text in [*changes(ADYEN_SIGNATURE.encode()), *shortened_and_lengthened(ADYEN_SIGNATURE.encode())]:
        assert refusal(verifier, notification(item(text.decode("latin-1"))))


def test_a_banking_or_management_webhook_is_signed_as_a_whole() -> None:
    verifier = scheme("adyen", ADYEN_KEY)
    assert refusal(verifier, request({"hmacsignature": MERCHANT_SIGNATURE}, MERCHANT_BODY)) is None
    for body in changes(MERCHANT_BODY):
        assert refusal(verifier, request({"hmacsignature": MERCHANT_SIGNATURE}, body)) == "mismatch"
    for text in changes(MERCHANT_SIGNATURE.encode()):
        assert refusal(verifier, request({"hmacsignature": text.decode("latin-1")}, MERCHANT_BODY)) == "mismatch"


def test_a_signature_in_the_header_is_not_made_up_for_by_one_in_the_body() -> None:
    good = notification(item())
    assert refusal(scheme("adyen", ADYEN_KEY), good._replace(headers={"hmacsignature": ""})) == "mismatch"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'{"notificationItems": []}',
        b'{"notificationItems": {}}',
        b'{"notificationItems": [null]}',
        b'{"notificationItems": [{"NotificationRequestItem": []}]}',
        b'{"notificationItems": [{"NotificationRequestItem": {"additionalData": null}}]}',
        b'{"notificationItems": [{"NotificationRequestItem": {"additionalData": {"hmacSignature": "x"}}}]}',
        b'{"notificationItems": [], "notificationItems": []}',
        b"[" * 100_000,
        b'{"a":' * 70 + b"1" + b"}" * 70,
        b" " * (1 << 20),
    ],
)
def test_a_body_that_proves_nothing_is_malformed(body: bytes) -> None:
    assert refusal(scheme("adyen", ADYEN_KEY), request({}, body)) == "malformed"


def test_an_item_without_a_signature_is_refused() -> None:
    assert refusal(scheme("adyen", ADYEN_KEY), notification(item(), ADYEN_ITEM)) == "missing"
    assert refusal(scheme("adyen", ADYEN_KEY), notification(item(""))) == "missing"
    assert refusal(scheme("adyen", ADYEN_KEY), notification(item(), item("\u20ac"))) == "mismatch"
    assert refusal(scheme("adyen", ADYEN_KEY), notification(item(["x"]))) == "malformed"  # type: ignore[arg-type]


def test_a_notification_has_at_most_a_hundred_items() -> None:
    assert refusal(scheme("adyen", ADYEN_KEY), notification(*[item()] * 100)) is None
    assert refusal(scheme("adyen", ADYEN_KEY), notification(*[item()] * 101)) == "malformed"


SCALARS = st.none() | st.booleans() | st.floats() | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@given(name=st.sampled_from([*ADYEN_ITEM, "additionalData"]), value=JSON)
def test_whatever_a_field_holds_it_is_a_refusal(name: str, value: Any) -> None:
    if value != ADYEN_ITEM.get(name) and not (name == "success" and value is True):
        assert refusal(scheme("adyen", ADYEN_KEY), notification(item(**{name: value})))


@given(st.binary(max_size=200))
def test_whatever_a_body_is_it_is_a_refusal(body: bytes) -> None:
    assert refusal(scheme("adyen", ADYEN_KEY), request({}, body))


@pytest.mark.parametrize("secret", ["nothing", "ABC", "AB CD", "AB\n", "\u0661\u0661"])
def test_a_key_that_is_not_hex_is_a_problem_that_does_not_show_it(secret: str) -> None:
    with pytest.raises(Refused) as refused:
        scheme("adyen", secret)
    (problem,) = refused.value.problems
    assert problem.code == "bad_secret"
    assert secret not in str(problem)


def test_the_signed_text_is_what_an_independent_reading_of_the_rules_gives() -> None:
    text = "7914073381342284:before:TestMerchant:TestPayment-1407325143704:-5:EUR:CHARGEBACK:false"
    signature = base64.b64encode(hmac.new(bytes.fromhex(ADYEN_KEY), text.encode(), "sha256").digest()).decode()
    changed = {"originalReference": "before", "amount": {"currency": "EUR", "value": -5}, "eventCode": "CHARGEBACK"}
    assert refusal(scheme("adyen", ADYEN_KEY), notification(item(signature, **changed, success="false"))) is None
