"""Which files are content, what they hash to, and which of them nobody read; used when a project is loaded."""

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from crossdock.kernel import within
from crossdock.kernel.content import beginning, is_test, names
from crossdock.kernel.environment import UNSET
from crossdock.kernel.problems import Problem, Refused
from transforms import spec as transform_spec
from transforms.python import modules

FOLDERS = ("gateway", "schemas", "transforms", "routes", "connectors", "alerts", "journal")
MOST_BYTES = 64 << 20  # of all files together; every process holds what it makes of them in memory
MOST_FILES = 10_000
_KINDS = {".yaml", ".json", ".csv"}
_PACKS = Path("connectors", "packs")  # ready-made content, which is none of a project until `pack add` copies it there
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def unread_texts(root: Path, problems: Iterable[Problem], transforms: Collection[str]) -> dict[str, str]:
    """Return by folder the names and texts of files with problems, and of those of which no transform could be made."""
    files = {problem.file for problem in problems if Path(problem.file).suffix in (".yaml", ".yml", ".json")}
    made = {path.relative_to(root).as_posix() for path in names(root, transform_spec.FOLDER)}
    texts: dict[str, str] = {}
    for file in sorted(files | (made - set(transforms))):
        folder, text = file.split("/", 1)[0], beginning(root / file).decode(errors="replace")
        texts[folder] = f"{texts.get(folder, '')}\n{file}\n{text}"
    return texts


def passed_over(root: Path) -> Iterator[Problem]:
    """Name files that look like content and would be passed over."""
    for folder in FOLDERS:
        for path in sorted((root / folder).glob("*.yml")):
            problem = Problem("wrong_suffix", "files that end in .yml are not read", "rename it to .yaml")
            yield problem.at(path.relative_to(root).as_posix())


def revision_of(root: Path) -> str:
    """Return the first 12 hex digits of the SHA-256 of names and bytes of all content, tests left out.

    Raises:
        Refused: as `contents` does.
    """
    return revision_of_files(contents(root))


def contents(root: Path) -> dict[str, bytes]:
    """Return what `files` names by its name in the project.

    Raises:
        Refused: `outside` and `unreadable` with every place, or `too_large`.
    """
    held: dict[str, bytes] = {}
    problems: list[Problem] = []
    size = 0
    for path in files(root):
        try:
            raw = within.read(path, root, MOST_BYTES - size + 1)
        except Refused as error:
            problems.extend(error.problems)
            continue
        held[path.relative_to(root).as_posix()] = raw
        size += len(raw)
        bounded(len(held), size)
    if problems:
        raise Refused(problems)
    return held


def bounded(number: int, size: int) -> None:
    """Refuse more files or bytes than an installation takes.

    Raises:
        Refused: `too_large`.
    """
    if number > MOST_FILES or size > MOST_BYTES:
        limits = f"at most {MOST_FILES} files of {MOST_BYTES >> 20} MiB together"
        raise Refused([Problem("too_large", f"{number} files of {size >> 20} MiB or more", limits)])


def revision_of_files(contents: Mapping[str, bytes]) -> str:
    """Return what `revision_of` gives for these files of a project, by name."""
    digest = hashlib.sha256()
    for path in sorted(map(Path, contents)):
        if path.suffix in (*_KINDS, ".py") and not is_test(path):
            raw = contents[path.as_posix()]
            digest.update(f"{path}\n{len(raw)}\n".encode() + raw)
    return digest.hexdigest()[:12]


def files(root: Path) -> Iterator[Path]:
    """Return the content files and content tests of a project, its modules, and what only looks like content."""
    for folder in FOLDERS:
        for path in (root / folder).rglob("*"):
            if path.suffix not in (*_KINDS, ".yml") or path.name.startswith("_") or not path.is_file():
                continue
            if _PACKS not in path.relative_to(root).parents:
                yield path
    yield from modules(root / transform_spec.FOLDER)


def placeholders(root: Path) -> dict[str, str]:
    """Return what stands for each variable of connectors and lookups where the environment does not matter."""
    files = [path for folder in ("connectors", "transforms") for path in (root / folder).rglob("*.yaml")]
    texts = [beginning(path).decode(errors="replace") for path in files]
    return {name: UNSET for text in texts for name in _VARIABLE.findall(text)}
