"""Which lines of content files nobody is shown, as a secret may stand in them or go on in them."""

import pytest

from crossdock.kernel.secretlike import secret_lines
from crossdock.plan.examine import changes

BLOCK = """\
connector: erp
auth:
  bearer: |
    first-half-of-it

    second-half-of-it
timeout: 15s
"""
LISTED = """\
sources:
  - source: shop
    secrets:
    - one
    - two
    limits: {rate: 5/s}
  - source: other
"""
FOLDED = """\
headers: {x-api-key:
  "the key",
  accept: any}
url: https://erp.example
"""
ARMOURED = """\
signing: &pem
-----BEGIN PRIVATE KEY-----
bm90IHJlYWxseQ==
-----END PRIVATE KEY-----
kind: http
"""
ITEM = """\
- token: >-
    a long
    one
  name: shop
- name: other
"""
COMMENT = """\
routes:
  # the token of the target is in its connector
    - route: stock
"""


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (BLOCK, {2, 3, 5}),
        (LISTED, {2, 3, 4}),
        (FOLDED, {0, 1, 2}),
        (ARMOURED, {1, 2, 3}),
        (ITEM, {0, 1, 2}),
        (COMMENT, {1}),
        ('{"client_secret": [\n  "x"\n],\n"kind": "http"}\n', {0, 1}),
        ("kind: http\ntimeout: 15s\n", set()),
    ],
)
def test_a_value_is_hidden_to_its_end_and_what_follows_is_not(text: str, places: set[int]) -> None:
    assert secret_lines(text.splitlines()) == places


def test_a_changed_half_of_a_secret_is_no_line_of_a_difference() -> None:
    # given
    now = BLOCK.replace("second-half-of-it", "another-half").replace("15s", "20s")
    # when
    (found,) = changes({"erp.yaml": BLOCK.encode()}, {"erp.yaml": now.encode()}, ["erp.yaml"])
    # then
    hidden = "(a line that may hold a secret)"
    assert found["lines"][1:] == [f" {hidden}", " ", f"-{hidden}", "-timeout: 15s", f"+{hidden}", "+timeout: 20s"]
