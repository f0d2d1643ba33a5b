"""Who somebody of an identity provider is: known by issuer and subject, called by a name that is nobody's own."""

import re

import pytest

from console.access import same_person
from tests.console.accessmade import Browser, House
from tests.console.identityprovider import IdentityProvider
from tests.console.test_oidc import go, scene


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ({"sub": "u-1", "preferred_username": "anna"}, {"sub": "u-2", "preferred_username": "anna"}, False),
        ({"sub": "u-1", "preferred_username": "anna"}, {"sub": "u-1", "preferred_username": "anna.berg"}, True),
        ({"sub": "u-1"}, {"sub": "u-2", "preferred_username": "anna@shop.example~0123456789ab"}, False),
    ],
)
def test_a_person_is_known_by_the_subject_whatever_the_name_is(
    first: dict[str, str], second: dict[str, str], same: bool
) -> None:
    async def steps(made: House, browser: Browser, idp: IdentityProvider) -> None:
        names = []
        for idp.claims in (first, second):
            browser.keep(await go(browser, idp))
            names.append((await browser.send("GET", "/ops/v1/session")).json()["person"])
        assert [name[5:].rpartition("~")[0] for name in names] == [
            one.get("preferred_username", "anna@shop.example") for one in (first, second)
        ]
        assert all(re.fullmatch("oidc:.*~[0-9a-f]{12}", name) for name in names)
        assert same_person(*names) is same

    scene(steps)
