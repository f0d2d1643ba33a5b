"""The file of public keys that a source names; read with the source, as a role has no folder to read it from later."""

from pathlib import Path

from crossdock.kernel.content import goes_along
from crossdock.kernel.problems import refuse

MAX_SIZE = 256 << 10
_HINT = "name a .json file under gateway/, such as gateway/acme.jwks.json, or an https address"


def read_keys(root: Path, place: str) -> bytes:
    """Return the file as it is.

    Raises:
        Refused: `bad_value`.
    """
    path = root / place
    if not place.startswith("gateway/") or not goes_along(root, place, ".json"):
        raise refuse("bad_value", "`jwks` is not applied with the content", _HINT)
    if not path.resolve().is_relative_to(root.resolve()):
        raise refuse("bad_value", "`jwks` leads out of the project", "copy the file there, or name a URL")
    try:
        with path.open("rb") as opened:
            raw = opened.read(MAX_SIZE + 1)
    except OSError as error:
        raise refuse("bad_value", f"`jwks` cannot be read: {error.strerror}") from None
    if len(raw) > MAX_SIZE:
        raise refuse("bad_value", f"`jwks` is longer than {MAX_SIZE >> 10} KiB")
    return raw
