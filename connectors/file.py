"""The kind `file`: a folder of this machine; no name leads out of it, and no link is followed."""

import asyncio
import errno
import os
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from connectors.collecting import FolderOrigin
from connectors.dropping import DropConnector
from connectors.folder import BLOCK, Entry, Exists, Gone
from connectors.port import Connector, Fault, Origin
from connectors.spec import ConnectorSpec

T = TypeVar("T")

_WORDS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EROFS: "the file system can only be read",
    errno.ENOENT: "no such folder",
    errno.ENOTDIR: "a link or a file stands where a folder should be",
    errno.ELOOP: "it is a link, which is not followed",
}
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)  # file systems without hard links


def make_file(spec: ConnectorSpec) -> Connector:
    """Return the connector of a spec of this kind."""
    return DropConnector(spec, LocalFolder(spec.options.folder))


def poll_file(spec: ConnectorSpec) -> Origin:
    """Return the origin of a spec of this kind."""
    return FolderOrigin(spec.options, LocalFolder(spec.options.folder))


class LocalFolder:
    """A folder of this machine; see `connectors.folder.Folder`. Every act opens it anew, as it may be mounted late."""

    def __init__(self, path: str) -> None:
        self._path = path

    async def files(self, inside: str = "") -> list[Entry]:
        """Return its plain files."""
        return await self._do(inside, self._files, inside)

    async def look(self, path: str) -> Entry | None:
        """Return a plain file."""
        return await self._do(path, self._look, path)

    async def read(self, path: str) -> AsyncIterator[bytes]:
        """Yield a file."""
        descriptor = await self._do(path, self._open, path, os.O_RDONLY)
        try:
            while block := await self._do(path, os.read, descriptor, BLOCK):
                yield block
        finally:
            os.close(descriptor)

    async def write(self, path: str, content: bytes) -> None:
        """Write a new file."""
        await self._do(path, self._write, path, content)

    async def publish(self, path: str, name: str) -> None:
        """Rename without overwriting."""
        await self._do(name, self._publish, path, name)

    async def rename(self, path: str, to: str) -> None:
        """Rename."""
        await self._do(path, self._rename, path, to)

    async def remove(self, path: str) -> None:
        """Remove a file."""
        await self._do(path, self._remove, path)

    async def make(self, inside: str) -> None:
        """Make the folders of a path."""
        await self._do(inside, self._make, inside)

    async def close(self) -> None:
        """There is nothing to let go of."""

    async def _do(self, path: str, act: Callable[..., T], *arguments: Any) -> T:
        try:
            return await asyncio.to_thread(act, *arguments)
        except OSError as error:
            words = _WORDS.get(error.errno or 0, error.strerror or str(error))
            gone = error.filename == self._path  # the folder itself, whatever was looked for in it
            raise Fault("retry", f"{self._path if gone else f'{self._path}/{path}'}: {words}") from None

    @contextmanager
    def _within(self, path: str) -> Iterator[tuple[int, str]]:
        """Open the folder that a path is in; the kernel refuses a link at every step."""
        *folders, name = path.split("/")
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        descriptor = os.open(self._path, flags)
        try:
            for folder in folders:
                inner = os.open(folder, flags | os.O_NOFOLLOW, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = inner
            yield descriptor, name
        finally:
            os.close(descriptor)

    def _files(self, inside: str) -> list[Entry]:
        if inside and not self._is_there(inside):
            return []
        with self._within(f"{inside}/." if inside else ".") as (folder, _):
            found = [_entry(name, folder) for name in os.listdir(folder)]
        return [entry for entry in found if entry is not None]

    def _is_there(self, inside: str) -> bool:
        with suppress(FileNotFoundError), self._within(f"{inside}/."):
            return True
        with self._within("."):  # else it is the folder itself that is not there
            return False

    def _look(self, path: str) -> Entry | None:
        with self._within(path) as (folder, name):
            return _entry(name, folder)

    def _open(self, path: str, flags: int) -> int:
        with self._within(path) as (folder, name):
            return os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o640, dir_fd=folder)

    def _write(self, path: str, content: bytes) -> None:
        try:
            descriptor = self._open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            raise Exists(path) from None
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        with self._within(path) as (folder, _):
            os.fsync(folder)

    def _publish(self, path: str, name: str) -> None:
        with self._within(path) as (here, old), self._within(name) as (folder, new):
            try:
                os.link(old, new, src_dir_fd=here, dst_dir_fd=folder, follow_symlinks=False)
                os.unlink(old, dir_fd=here)
            except FileExistsError:
                raise Exists(name) from None
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                if _entry(new, folder) is not None:
                    raise Exists(name) from None
                os.rename(old, new, src_dir_fd=here, dst_dir_fd=folder)
            os.fsync(folder)

    def _rename(self, path: str, to: str) -> None:
        with self._within(path) as (here, old), self._within(to) as (folder, new):
            try:
                os.rename(old, new, src_dir_fd=here, dst_dir_fd=folder)
            except FileNotFoundError:
                raise Gone(path) from None
            os.fsync(folder)
            os.fsync(here)

    def _remove(self, path: str) -> None:
        with self._within(path) as (folder, name), suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)

    def _make(self, inside: str) -> None:
        parts = inside.split("/")
        for depth in range(len(parts)):
            with self._within("/".join(parts[: depth + 1])) as (folder, name), suppress(FileExistsError):
                os.mkdir(name, 0o750, dir_fd=folder)


def _entry(name: str, folder: int) -> Entry | None:
    """Return a plain file, None for a link, a folder and what else has a name."""
    try:
        found = os.lstat(name, dir_fd=folder)
    except FileNotFoundError:
        return None
    return Entry(name, found.st_size, found.st_mtime) if stat.S_ISREG(found.st_mode) else None
