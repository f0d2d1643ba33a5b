"""Which browser drives the console, and how it is started; used by `simulators.picture` and by tests."""

import shutil
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
)  # for containers
LIVE = "html[data-live]"
# A page hears what is pressed only after its handshake. Waiting for a variable of the page does not do: Playwright asks
# again by eval(), which the console's Content-Security-Policy refuses. A script of the browser is not the page's.
MARKS_LIVE = """(function look() {
  if (window.did_handshake) document.documentElement.dataset.live = "";
  else setTimeout(look, 20);
})()"""


def binary() -> str | None:
    """Return the path of a browser, or None when there is none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def launched() -> dict[str, Any]:
    """Return what `playwright.chromium.launch` is given.

    Raises:
        FileNotFoundError: no browser is installed.
    """
    program = binary()
    if program is None:
        raise FileNotFoundError(f"none of {', '.join(NAMES)} is installed")
    return {"executable_path": program, "args": list(FLAGS)}
