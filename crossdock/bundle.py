"""All content files of one revision in one piece, so that every process of an installation reads the same, whole."""

import io
import tempfile
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from crossdock import contentfiles, project
from crossdock.kernel import yamlfile
from crossdock.kernel.problems import refuse
from crossdock.project import FOLDERS, Project

_LONGEST = 255  # bytes of a name of a file or folder
_FOLDERS = {(folder,) for folder in FOLDERS}
_MOMENT = (1980, 1, 1, 0, 0, 0)  # the same files make the same bytes


@dataclass(frozen=True)
class Bundle:
    """Files by their names in the project, tests among them; `revision` is as `revision_of` gives it."""

    files: Mapping[str, bytes]

    @cached_property
    def revision(self) -> str:
        """The hash of what goes in force: all but the tests."""
        return contentfiles.revision_of_files(self.files)

    def load(self, env: Mapping[str, str], tests: bool = False) -> Project:
        """Return what goes in force; with the content tests where somebody looks at them.

        Raises:
            Refused: with every problem of every file.
        """
        with tempfile.TemporaryDirectory(prefix="crossdock-") as folder:
            self.lay_out(Path(folder))
            return project.load(Path(folder), env, tests=tests)

    def encode(self) -> bytes:
        """Return the files as a ZIP archive."""
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name, raw in sorted(self.files.items()):
                archive.writestr(zipfile.ZipInfo(name, _MOMENT), raw, zipfile.ZIP_DEFLATED)
        return held.getvalue()

    def lay_out(self, root: Path) -> None:
        """Write the files into an empty folder."""
        for name, raw in self.files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(raw)


def pack(root: Path) -> Bundle:
    """Return the content of a project's folder.

    Raises:
        Refused: `outside` or `too_large`, with every place.
    """
    return Bundle(contentfiles.contents(root))


def decode(archive: bytes) -> Bundle:
    """Return what `encode` made.

    Raises:
        Refused: `bad_bundle` or `too_large`, as anybody may have sent it.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            members = opened.infolist()
            contentfiles.bounded(len(members), sum(member.file_size for member in members))
            _fit({member.filename for member in members})
            return Bundle({member.filename: _content(opened, member) for member in members})
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
        raise refuse("bad_bundle", f"not the files of a project: {error}", "use `crossdock apply`") from None


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with archive.open(member) as opened:
        return opened.read(member.file_size + 1)[: member.file_size]


def _fit(names: Collection[str]) -> None:
    """Refuse names that are not those of files in the folders of content, or of a file and of a folder at once."""
    folders = {*FOLDERS, *(parent.as_posix() for name in names for parent in PurePosixPath(name).parents)}
    for name in names:
        path = PurePosixPath(name)
        odd = name != path.as_posix() or ".." in path.parts or "\\" in name or "\0" in name
        if odd or path.parts[:1] not in _FOLDERS or name in folders or _too_long(path):
            raise refuse("bad_bundle", f"{name[:80]!r} is no content file", "use `crossdock apply`")


def _too_long(path: PurePosixPath) -> bool:
    return len(path.parts) > yamlfile.MAX_DEPTH or any(len(part.encode()) > _LONGEST for part in path.parts)
