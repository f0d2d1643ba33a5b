"""What every answer of the operations port tells browsers about its handling; the one place of these headers."""

from collections.abc import Mapping
from typing import Any

from console.door import App, Scope

# NiceGUI makes its pages of inline scripts and styles, and compiles templates in the browser.
PAGES_CSP = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_OTHER_CSP = "default-src 'none'; frame-ancestors 'none'"
_ALWAYS: Mapping[bytes, bytes] = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}
_HTTPS_ONLY = b"max-age=31536000"  # a year


class Headers:
    """Adds what an answer does not bring itself."""

    def __init__(self, app: App, secure: bool) -> None:
        self._app = app
        self._always = {**_ALWAYS, **({b"strict-transport-security": _HTTPS_ONLY} if secure else {})}

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Pass a request on and complete its answer."""

        async def completed(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self._missing(message.get("headers", ()))]
            await send(message)

        await self._app(scope, receive, completed if scope["type"] == "http" else send)

    def _missing(self, given: Any) -> list[tuple[bytes, bytes]]:
        present = {name.lower(): value for name, value in given}
        is_page = present.get(b"content-type", b"").startswith(b"text/html")
        wanted = {**self._always, b"content-security-policy": (PAGES_CSP if is_page else _OTHER_CSP).encode()}
        return [(name, value) for name, value in wanted.items() if name not in present]
