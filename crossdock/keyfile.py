"""The file of public keys that a source names; read with the source, as a role has no folder to read it from later."""

from pathlib import Path

from crossdock.kernel import within
from crossdock.kernel.content import goes_along
from crossdock.kernel.problems import Refused, refuse

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
    try:
        raw = within.read(path, root, MAX_SIZE + 1)
    except Refused as error:
        (why,) = error.problems
        raise refuse("bad_value", f"`jwks`: {why.message}", why.hint) from None
    if len(raw) > MAX_SIZE:
        raise refuse("bad_value", f"`jwks` is longer than {MAX_SIZE >> 10} KiB")
    return raw
