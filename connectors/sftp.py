"""The kind `sftp`: a folder of an SSH server."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from connectors.collecting import FolderOrigin
from connectors.dropping import DropConnector
from connectors.folder import BLOCK, Entry, Exists, Gone
from connectors.folderspec import FolderOptions
from connectors.port import Connector, Fault, Origin
from connectors.spec import ConnectorSpec
from connectors.sshsession import Session, reason


def make_sftp(spec: ConnectorSpec) -> Connector:
    """Return the connector of a spec of this kind."""
    return DropConnector(spec, _folder(spec))


def poll_sftp(spec: ConnectorSpec) -> Origin:
    """Return the origin of a spec of this kind."""
    return FolderOrigin(spec.options, _folder(spec))


def _folder(spec: ConnectorSpec) -> "SftpFolder":
    options: FolderOptions = spec.options
    assert options.server is not None  # the JSON Schema requires what it is made of
    return SftpFolder(options.folder, Session(options.server, spec.networks, spec.timeout))


class SftpFolder:
    """A folder of a server; see `connectors.folder.Folder`."""

    def __init__(self, path: str, session: Session) -> None:
        self._path = path
        self._session = session

    async def files(self, inside: str = "") -> list[Entry]:
        """Return its plain files."""
        client = await self._session.client()
        try:
            with self._told(inside):
                found = [_entry(str(name.filename), name.attrs) for name in await client.readdir(self._whole(inside))]
        except Gone:
            if not inside:
                raise Fault("retry", f"{self._path}: no such folder") from None
            return []
        return [entry for entry in found if entry is not None]

    async def look(self, path: str) -> Entry | None:
        """Return a plain file."""
        client = await self._session.client()
        with suppress(Gone), self._told(path):
            return _entry(path.rpartition("/")[2], await client.lstat(self._whole(path)))
        return None

    async def read(self, path: str) -> AsyncIterator[bytes]:
        """Yield a file."""
        client = await self._session.client()
        with self._told(path):
            async with client.open(self._whole(path), "rb") as opened:
                while block := await opened.read(BLOCK):
                    assert isinstance(block, bytes)  # as it is opened
                    yield block

    async def write(self, path: str, content: bytes) -> None:
        """Write a new file, stored where the server can say so."""
        import asyncssh  # noqa: PLC0415 - see above

        client = await self._session.client()
        try:
            with self._told(path):
                async with client.open(self._whole(path), "xb") as opened:
                    await opened.write(content)
                    with suppress(asyncssh.SFTPOpUnsupported):
                        await opened.fsync()
        except Fault as fault:
            if fault.outcome == "retry" and await self._is_there(path, fault):
                raise Exists(path) from None
            raise

    async def publish(self, path: str, name: str) -> None:
        """Rename without overwriting; what breaks in the middle may have been done."""
        await self._move(path, name)

    async def rename(self, path: str, to: str) -> None:
        """Rename."""
        await self._move(path, to)

    async def remove(self, path: str) -> None:
        """Remove a file."""
        client = await self._session.client()
        with suppress(Gone), self._told(path):
            await client.remove(self._whole(path))

    async def make(self, inside: str) -> None:
        """Make the folders of a path."""
        client = await self._session.client()
        parts = inside.split("/")
        for depth in range(len(parts)):
            path = "/".join(parts[: depth + 1])
            with self._told(path):
                if not await client.exists(self._whole(path)):
                    await client.mkdir(self._whole(path))

    async def close(self) -> None:
        """End the connection."""
        await self._session.close()

    async def _move(self, path: str, to: str) -> None:
        """Rename by the request that does not overwrite; by that of OpenSSH where a server refuses the first."""
        import asyncssh  # noqa: PLC0415 - see above

        client = await self._session.client()
        with self._told(path, lost="in_doubt"):
            try:
                return await client.rename(self._whole(path), self._whole(to))
            except asyncssh.SFTPError as error:
                if isinstance(error, asyncssh.SFTPNoSuchFile | asyncssh.SFTPConnectionLost):
                    raise
                if await client.lexists(self._whole(to)):
                    raise Exists(to) from None
                refused = error
            try:
                await client.posix_rename(self._whole(path), self._whole(to))
            except asyncssh.SFTPOpUnsupported:
                raise refused from None
        return None

    async def _is_there(self, path: str, fault: Fault) -> bool:
        """Tell whether a write failed because of what is there, for which version 3 of SFTP has no code."""
        try:
            return not isinstance(fault, Gone) and await self.look(path) is not None
        except Fault:
            return False

    def _whole(self, path: str) -> str:
        return f"{self._path}/{path}".rstrip("/") or "/"

    @contextmanager
    def _told(self, path: str, lost: Any = "retry") -> Iterator[None]:
        """Say in words what a server refuses; `lost` is what a connection that broke means."""
        import asyncssh  # noqa: PLC0415 - see above

        try:
            yield
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            raise Gone(self._whole(path)) from None
        except (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, asyncssh.ConnectionLost, OSError) as error:
            raise Fault(lost, f"the connection broke: {reason(error)}") from None
        except asyncssh.SFTPError as error:
            raise Fault("retry", f"{self._whole(path)}: {_words(error)}") from None


def _words(error: Any) -> str:
    import asyncssh  # noqa: PLC0415 - see above

    if isinstance(error, asyncssh.SFTPPermissionDenied | asyncssh.SFTPWriteProtect):
        return "permission denied"
    if isinstance(error, asyncssh.SFTPNoSpaceOnFilesystem | asyncssh.SFTPQuotaExceeded):
        return "the disk is full"
    if type(error) is asyncssh.SFTPFailure:  # all that version 3 of SFTP has for a full disk
        return f"the server says only {error.reason!r}: its disk may be full, or something of this name be in the way"
    return str(error.reason)


def _entry(name: str, attributes: Any) -> Entry | None:
    """Return a plain file, None for what else has a name; a server that tells no type has only files."""
    import asyncssh  # noqa: PLC0415 - see above

    kinds = (asyncssh.FILEXFER_TYPE_REGULAR, asyncssh.FILEXFER_TYPE_UNKNOWN)
    mode = attributes.permissions
    plain = attributes.type in kinds and (mode is None or (mode & 0o170000) in (0o100000, 0))
    if name in (".", "..") or not plain:
        return None
    return Entry(name, attributes.size or 0, float(attributes.mtime or 0))
