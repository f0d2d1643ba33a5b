"""Files and folders that look like content and that nobody reads: a name that fits nothing says nothing."""

import re
from collections.abc import Iterator
from pathlib import Path

from crossdock.contentfiles import FOLDERS
from crossdock.kernel.nearest import near
from crossdock.kernel.problems import Problem

_SUFFIXES = {".yaml", ".yml", ".json"}
_READ = {  # by folder: the names below it that are read, and what they are
    "gateway": (re.compile(r"[^/]+\.(yaml|json)"), "sources are gateway/<name>.yaml"),
    "schemas": (
        re.compile(r"[^/]+/([^/]+\.json|schema\.yaml)"),
        "schemas are schemas/<type>/<major>.<minor>.json, and schemas/<type>/schema.yaml is about all of them",
    ),
    "transforms": (
        re.compile(r"([^/]+/)?[^/]+\.yaml|targets/[^/]+\.json"),
        "transforms are transforms/<name>.yaml, casts and forms one folder below",
    ),
    "routes": (re.compile(r"[^/]+\.yaml"), "routes are routes/<name>.yaml"),
    "connectors": (re.compile(r"[^/]+\.yaml|packs/.+"), "connectors are connectors/<name>.yaml"),
    "journal": (re.compile(r"[^/]+\.yaml"), "rules of conformance are journal/<name>.yaml"),
    "alerts": (re.compile(r"[^/]+\.yaml"), "alerts are alerts/<name>.yaml"),
}


def unread_files(root: Path) -> Iterator[Problem]:
    """Yield what is not read because of its name; `.yml` files are told where content is loaded."""
    for folder, (read, hint) in _READ.items():
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root / folder).as_posix()
            if path.is_symlink() and path.is_dir() and not path.name.startswith((".", "_")):
                problem = Problem("unread_file", "a linked folder is not applied with the content", "copy it there")
                yield problem.at(f"{folder}/{name}")
            told = path.suffix == ".yml" and "/" not in name
            if _is_like_content(path) and not told and not read.fullmatch(name):
                yield Problem("unread_file", "no file of this name is read", hint).at(f"{folder}/{name}")
    for beside in sorted(path for path in root.iterdir() if path.is_dir() and path.name not in FOLDERS):
        similar = near(beside.name, FOLDERS, 0.85)
        inside = sorted(path for path in beside.glob("*.yaml") if _is_like_content(path)) if similar else []
        if inside:
            message, hint = f"no folder named {beside.name} is read", f"did you mean {similar[0]}/?"
            yield Problem("unread_file", message, hint).at(inside[0].relative_to(root).as_posix())


def _is_like_content(path: Path) -> bool:
    return path.suffix.lower() in _SUFFIXES and not path.name.startswith("_") and path.is_file()
