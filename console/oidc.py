"""`/login/oidc`: the way to the identity provider and back, for people with a browser; called by `console.api`."""

import base64
import binascii
import re
from html import escape

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from console.access import address
from console.door import LOGIN, local
from console.identity import Access
from console.provider import NotSignedIn, Provider, Way
from console.sessions import Session
from console.signin import admitted, begin, handed_over
from crossdock.kernel.problems import Unavailable
from dlq.audit import Audit

START, BACK = f"{LOGIN}/oidc", f"{LOGIN}/oidc/callback"
COOKIE = "crossdock_oidc"
WITHIN = 600  # seconds that a person may take at the provider
_CSP = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_WORD = re.compile(r"[a-z_]{1,40}\Z")


def add_oidc(app: FastAPI, access: Access, provider: Provider, audit: Audit) -> None:
    """Add the paths of this file."""

    @app.get(START, include_in_schema=False)
    async def start(request: Request, next: str = "/") -> Response:  # noqa: A002  as the sign-in page calls it
        way = Way()
        try:
            answer = RedirectResponse(await provider.start(way, _back(access, request)), 303)
        except Unavailable as error:
            return _page(503, str(error))
        kept = f"{way.secret}.{base64.urlsafe_b64encode(local(next).encode()).decode()}"
        # Lax, as the provider sends the browser back from another site.
        answer.set_cookie(COOKIE, kept, WITHIN, path=START, secure=access.secure, httponly=True, samesite="lax")
        return answer

    @app.get(BACK, include_in_schema=False)
    async def back(request: Request, state: str = "", code: str = "", error: str = "") -> Response:
        place = address(request)
        who = f"oidc of {place}"
        try:
            admitted(access, who, place)
            session, subject = await _session(access, provider, request, (state, code, error))
        except Unavailable as away:
            access.lockout.undecided(who, place)
            return _page(503, str(away))
        except NotSignedIn as why:
            await audit.note("", place, "session.refused", "", {"by": "oidc", "why": str(why)[:300]})
            return _page(403, str(why))
        except HTTPException as waits:
            return _page(waits.status_code, str(waits.detail))
        access.lockout.good(who, place)
        signed = await begin(access, audit, request, session, subject=subject)
        answer = _page(200, "You are signed in.", _next(request))
        answer.delete_cookie(COOKIE, path=START)
        return handed_over(access, signed, answer)


async def _session(
    access: Access, provider: Provider, request: Request, said: tuple[str, str, str]
) -> tuple[Session, str]:
    """Return the session, not yet begun, of who comes back, and what the provider calls that person."""
    state, code, error = said
    secret = request.cookies.get(COOKIE, "").partition(".")[0]
    if error or not (secret and code):
        shown = error if _WORD.match(error) else "no code"
        raise NotSignedIn(f"the identity provider did not sign you in ({shown}); begin again")
    claimed = await provider.finish(Way(secret), state, code, _back(access, request))
    now = access.clock()
    return Session(claimed.name, claimed.role, "oidc", provider.stamp, now, now, address(request)), claimed.subject


def _back(access: Access, request: Request) -> str:
    return (access.url.rstrip("/") or f"{request.url.scheme}://{request.headers.get('host', '')}") + BACK


def _next(request: Request) -> str:
    try:
        return local(base64.urlsafe_b64decode(request.cookies.get(COOKIE, "").partition(".")[2]).decode())
    except (binascii.Error, ValueError):
        return "/"


def _page(status: int, words: str, onward: str = "") -> Response:
    """Return a page that says how it went; it goes on by itself, as a redirect would not bring a strict cookie."""
    goes = f'<meta http-equiv="refresh" content="0;url={escape(onward)}">' if onward else ""
    link = f'<p><a href="{escape(onward or LOGIN)}">{"Go on" if onward else "Back to the sign-in"}</a></p>'
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Crossdock: sign-in</title>{goes}'
        '<meta name="viewport" content="width=device-width"><style>body{font:1rem/1.5 system-ui;margin:3rem auto;'
        f"max-width:34rem;padding:0 1rem}}</style></head><body><main><h1>Sign-in</h1><p>{escape(words)}</p>{link}"
        "</main></body></html>"
    )
    return HTMLResponse(text, status, {"content-security-policy": _CSP})
