"""Lines of content files that may hold a secret, which nobody is shown."""

import re

_SECRET = re.compile(r"(?i)(secret|passw|token|bearer|authorization|api.?key|whsec_|://[^/\s]*@)")


def may_hold_secret(line: str) -> bool:
    """Tell whether a secret may stand in a line."""
    return _SECRET.search(line) is not None
