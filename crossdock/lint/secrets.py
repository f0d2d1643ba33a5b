"""Secrets that are written into files; whoever reads the files has them, and their history keeps them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crossdock.kernel import settings, yamlfile
from crossdock.kernel.content import names
from crossdock.kernel.environment import has_variable
from crossdock.kernel.problems import Problem, Refused
from crossdock.kernel.yamlfile import Document, Path_

_FOLDERS = ("gateway", "transforms", "routes", "connectors", "alerts")
_NAMES = re.compile(r"(?i)(secrets?|passw(or)?d|pwd|bearer|authorization|cookie|(.*[-_])?(token|api[-_]?key|secret))\Z")
_EXPRESSIONS = {"map", "when", "order_by", "business_key", "event", "dedupe", "codes"}
_FORMS = re.compile(  # how secrets of known services begin
    r"(whsec_[A-Za-z0-9+/=]{16}|[sr]k_(live|test)_\w{8}|gh[pousr]_\w{20}|github_pat_\w{20}|glpat-[\w-]{16}"
    r"|xox[abps]-[\w-]{10}|shp(at|ss|ca|pa)_\w{16}|AKIA[0-9A-Z]{16}|AIza[\w-]{30}|SG\.[\w-]{16}"
    r"|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.|-----BEGIN [A-Z ]*PRIVATE KEY)"
)
_USERINFO = re.compile(r"://[^/?#@\s]*:(?!\$\{)[^/?#@\s]+@")
_SAFE = "${NAME} takes it from the environment; change the secret, as the file was read by others"


def plain_secrets(root: Path) -> Iterator[Problem]:
    """Yield each place where a secret stands in a content file or in config.yaml; never the secret itself."""
    paths = [path for folder in _FOLDERS for path in names(root, folder)]
    for path in [*paths, *filter(Path.is_file, [root / settings.FILE])]:
        try:
            document = yamlfile.read(path, root)
        except Refused:  # which is told where it is loaded
            continue
        yield from _within(document, (), document.value)


def _within(document: Document, path: Path_, value: Any) -> Iterator[Problem]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _within(document, (*path, key), child)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _within(document, (*path, index), child)
    elif isinstance(value, str) and (what := _what(path, value)):
        yield document.problem(path, "plain_secret", f"{what} stands here in plain text", _SAFE)


def _what(path: Path_, text: str) -> str:
    if _FORMS.search(text):
        return "what looks like a secret"
    if _USERINFO.search(text):
        return "a password within an address"
    words = [step for step in path if isinstance(step, str)]
    named = bool(words) and _NAMES.match(words[-1]) is not None and not _EXPRESSIONS & set(words[:-1])
    return "a secret" if named and len(text) > 3 and not has_variable(text) else ""
