"""The one page of the console and the headers it is served with; `console.api` answers `/` with it."""

import base64
import hashlib
from pathlib import Path

_HERE = Path(__file__).parent
_STYLE = (_HERE / "page.css").read_text()
_SCRIPT = (_HERE / "page.js").read_text() + (_HERE / "acts.js").read_text()
PAGE = (_HERE / "page.html").read_text().replace("{style}", _STYLE).replace("{script}", _SCRIPT)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


HEADERS = {
    "content-security-policy": "; ".join(
        [
            "default-src 'none'",
            f"script-src {_hash(_SCRIPT)}",
            f"style-src {_hash(_STYLE)}",
            "connect-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    ),
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
