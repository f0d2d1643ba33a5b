"""Signed requests: those that vendors publish, and others computed here by an independent few lines."""

import base64
import hmac
from typing import Any, NamedTuple

from gateway.proof import Request, Verifier
from tests.gateway.proving import NOW, request, scheme

SQUARE_BODY = (
    b'{"merchant_id":"MLEFBHHSJGVHD","type":"webhooks.test_notification","event_id":"ac3ac95b-f97d-458c-a6e6-'
    b'18981597e05f","created_at":"2022-07-13T20:30:59.037339943Z","data":{"type":"webhooks","id":"bc368e64-01aa-'
    b'407e-b46e-3231809b1129"}}'
)
STRIPE_BODY = b"""{
  "id": "evt_test_webhook",
  "object": "event",
  "data": { "object": { "id": "rdr_123", "object": "terminal.reader" } }
}"""
SHOP_BODY = b'{"id":1234567890,"email":"customer@example.com","total_price":"123.45"}'
# Adyen/adyen-python-api-library, test/UtilTest.py
ADYEN_KEY = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
ADYEN_ITEM = {
    "pspReference": "7914073381342284",
    "merchantReference": "TestPayment-1407325143704",
    "merchantAccountCode": "TestMerchant",
    "amount": {"currency": "EUR", "value": 1130},
    "eventCode": "AUTHORISATION",
    "success": "true",
}
ADYEN_SIGNATURE = "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0="


class Vector(NamedTuple):
    """One signed request; `signature` is the value of `header`."""

    scheme: str
    secret: str
    header: str
    signature: str
    body: bytes
    options: dict[str, Any] = {}  # noqa: RUF012
    others: dict[str, str] = {}  # noqa: RUF012

    def verifier(self, **changed: Any) -> Verifier:
        return scheme(self.scheme, changed.get("secret", self.secret), **self.options)

    def request(self, **changed: Any) -> Request:
        headers = {**self.others, self.header: changed.get("signature", self.signature)}
        return request(headers, changed.get("body", self.body), path="/hooks/a%20b", query="shop=7")


def mac(secret: str, content: bytes, algorithm: str = "sha256") -> bytes:
    return hmac.new(secret.encode(), content, algorithm).digest()


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


STAMP = str(int(NOW))
PUBLISHED = [
    Vector(  # docs.github.com, validating webhook deliveries
        "github",
        "It's a Secret to Everybody",
        "x-hub-signature-256",
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        b"Hello, World!",
    ),
    Vector(  # square/square-python-sdk, tests/integration/test_webhooks_helper.py
        "square",
        "Ibxx_5AKakO-3qeNVR61Dw",
        "x-square-hmacsha256-signature",
        "GF4YkrJgGBDZ9NIYbNXBnMzqb2HoL4RW/S6vkZ9/2N4=",
        SQUARE_BODY,
        {"url": "https://webhook.site/679a4f3a-dcfa-49ee-bac5-9d0edad886b9"},
    ),
    Vector(  # the same file
        "square",
        "signature-key",
        "x-square-hmacsha256-signature",
        "Cxt7+aTi4rKgcA0bC4g9EHdVtLSDWdqccmL5MvihU4U=",
        b'{"data":{"type":"webhooks","id":">id<"}}',
        {"url": "https://webhook.site/webhooks"},
    ),
    Vector(  # sqlpage/SQLPage, its test of Shopify's scheme; Shopify itself publishes none
        "shopify",
        "test-webhook-secret",
        "x-shopify-hmac-sha256",
        "QNyObTlKbMx2qDlPF/ZOZcBqg5OgPg+2oky3zldc0Gw=",
        SHOP_BODY,
    ),
]
COMPUTED = [
    Vector(  # as stripe/stripe-python, tests/test_webhook.py builds its header
        "stripe",
        "whsec_test_secret",
        "stripe-signature",
        f"t={STAMP},v1={mac('whsec_test_secret', STAMP.encode() + b'.' + STRIPE_BODY).hex()}",
        STRIPE_BODY,
    ),
    Vector("woocommerce", "wc_secret", "x-wc-webhook-signature", b64(mac("wc_secret", SHOP_BODY)), SHOP_BODY),
    Vector("aftership", "as", "aftership-hmac-sha256", b64(mac("as", SHOP_BODY)), SHOP_BODY),
    Vector("aftership", "as", "am-webhook-signature", b64(mac("as", SHOP_BODY)), SHOP_BODY, {"product": "shipping"}),
    Vector("aftership", "as", "as-signature-hmac-sha256", b64(mac("as", SHOP_BODY)), SHOP_BODY, {"product": "returns"}),
    Vector("hmac", "k", "x-signature", mac("k", SHOP_BODY).hex(), SHOP_BODY, {"header": "X-Signature"}),
    Vector(
        "hmac",
        "k",
        "x-mac",
        "v0=" + b64(mac("k", f"POST|/hooks/a%20b?shop=7|{STAMP}|e 1|".encode() + SHOP_BODY, "sha512")),
        SHOP_BODY,
        {
            "header": "X-Mac",
            "algorithm": "sha512",
            "encoding": "base64",
            "prefix": "v0=",
            "signed": "{method}|{path}|{timestamp}|{id}|{body}",
            "timestamp": "X-Time",
            "id": "X-Id",
        },
        {"x-time": STAMP, "x-id": "e 1"},
    ),
    Vector(
        "hmac",
        "k",
        "x-sha1",
        mac("k", b"https://a.example/x" + SHOP_BODY, "sha1").hex(),
        SHOP_BODY,
        {"header": "x-sha1", "algorithm": "sha1", "signed": "{url}{body}", "url": "https://a.example/x"},
    ),
]
VECTORS = PUBLISHED + COMPUTED
