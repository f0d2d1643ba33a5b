"""`/login`: a plain page, as nobody is known there yet; it talks to `/ops/v1/session`."""

import base64
import hashlib
from pathlib import Path

from fastapi import FastAPI, Response

from console.door import LOGIN

_HERE = Path(__file__).parent
_STYLE = (_HERE / "look.css").read_text() + (_HERE / "login.css").read_text()
_SCRIPT = (_HERE / "login.js").read_text()
_PAGE = (_HERE / "login.html").read_text().replace("{style}", _STYLE).replace("{script}", _SCRIPT)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


_POLICY = (
    f"default-src 'none'; script-src {_hash(_SCRIPT)}; style-src {_hash(_STYLE)}; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def add_login(app: FastAPI) -> None:
    """Add the page."""

    @app.get(LOGIN, include_in_schema=False)
    async def login() -> Response:
        return Response(_PAGE, media_type="text/html", headers={"content-security-policy": _POLICY})
