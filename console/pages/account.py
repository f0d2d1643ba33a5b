"""`/account`: who one is, what one may do, and the own password."""

from console.pages.parts.ask import Field, ask
from console.pages.parts.basics import Moment, button, empty, facts, section, tag
from console.pages.users import MAY, differ
from console.pages.visit import Visit

FIELDS = (
    Field("old", "The password you have", required=True, kind="password", most=1000),
    Field("password", "New password, some words are a good one", required=True, kind="password", most=1000),
    Field("again", "The new password again", required=True, kind="password", most=1000),
)


async def account(visit: Visit) -> None:
    """Build the page."""
    session = await visit.api.get("session")
    facts(
        [
            ("You are", session["person"]), ("Role", session["role"]),
            ("This session ends", (lambda: Moment(session["expires"])) if session["expires"] else ""),
            ("What a role may do", MAY),
        ]
    )  # fmt: skip
    with section("Password"):
        if not session["password"]:
            empty("You signed in without a password of Crossdock: with a token, or with your company account.")
            return
        tag("p", "A new password ends all your sessions, this one too; then sign in with it.", "quiet")
        with tag("div", classes="acts-row"):
            button("Change my password …", lambda: _change(visit), "main")


async def _change(visit: Visit) -> None:
    async def attempt(given: dict[str, str]) -> str:
        body = {"old": given["old"], "new": given["password"]}
        return differ(given) or await visit.tried(visit.api.send("POST", "session/password", body))

    if await ask("Change my password", (), FIELDS, act="Change it", attempt=attempt) is not None:
        visit.leave()
