"""What a session may change, and from where: other sites get nothing done with it."""

import pytest

from tests.console.accessmade import HOST, PASSWORD, Browser, House
from tests.console.test_sessions import scene


def test_a_change_needs_the_header_that_other_sites_cannot_know() -> None:
    async def steps(made: House, browser: Browser) -> None:
        await browser.sign_in()
        assert (await browser.send("POST", "/ops/v1/act")).status == 200
        for wrong in (None, "x", browser.csrf[:-1], browser.cookie.partition("=")[2]):
            assert (await browser.send("POST", "/ops/v1/act", **{"x-csrf-token": wrong})).status == 403
        other = made.browser()
        await other.sign_in("admin")
        assert (await browser.send("POST", "/ops/v1/act", **{"x-csrf-token": other.csrf})).status == 403
        assert (await made.bearer("POST", "/ops/v1/act")).status == 200

    scene(steps)


@pytest.mark.parametrize(
    "origin",
    [None, "null", "http://evil.example", f"http://{HOST}.evil.example", "http://ops.example", f"http://x@{HOST}"],
)
def test_a_change_from_another_site_is_refused_even_with_the_header(origin: str | None) -> None:
    async def steps(made: House, browser: Browser) -> None:
        await browser.sign_in()
        assert (await browser.send("POST", "/ops/v1/act", origin=origin)).status == 403
        if origin is not None:
            assert (await browser.sign_in(origin=origin)).status == 403

    scene(steps)


def test_people_change_their_own_password_when_they_know_the_old_one() -> None:
    async def steps(made: House, browser: Browser) -> None:
        await browser.sign_in("viewer")
        path, new = "/ops/v1/session/password", "a much better password"
        assert (await browser.send("POST", path, {"old": "wrong", "new": new})).status == 403
        assert (await browser.send("POST", path, {"old": PASSWORD, "new": "short"})).status == 422
        assert (await browser.send("POST", path, {"old": PASSWORD, "new": new})).status == 200
        assert (await browser.send("GET", "/ops/v1/session")).status == 401
        assert (await browser.sign_in("viewer")).status == 401
        assert (await browser.sign_in("viewer", new)).status == 200
        assert (await made.bearer("POST", path, {"old": "x", "new": new})).status == 404

    scene(steps)
