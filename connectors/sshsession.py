"""The connection to an SSH server: its key must be known, and only addresses that were checked are dialled."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from connectors.addresses import Address, Network, allowed
from connectors.client import resolve
from connectors.folderspec import Server
from connectors.port import Fault

if TYPE_CHECKING:
    import asyncssh

KEEPALIVE = 15.0  # seconds; three without an answer end a connection


class Session:
    """One connection to a server, made when it is needed and again when it broke; `timeout` is in seconds."""

    def __init__(
        self,
        server: Server,
        networks: Sequence[Network],
        timeout: float,
        resolve: Callable[[str, int], Awaitable[list[Address]]] = resolve,
    ) -> None:
        self._server = server
        self._networks = tuple(networks)
        self._timeout = timeout
        self._resolve = resolve
        self._dialling = asyncio.Lock()
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: asyncssh.SFTPClient | None = None

    async def client(self) -> "asyncssh.SFTPClient":
        """Return the open client.

        Raises:
            Fault: with what keeps it from being open.
        """
        async with self._dialling:
            if self._connection is None or self._connection.is_closed() or self._client is None:
                await self.close()
                try:
                    async with asyncio.timeout(self._timeout):
                        self._client = await self._open()
                except TimeoutError:
                    raise Fault("retry", f"{self._server.host} did not answer in time") from None
            return self._client

    async def close(self) -> None:
        """End the connection."""
        connection, self._connection, self._client = self._connection, None, None
        if connection is not None:
            connection.close()
            with suppress(TimeoutError, OSError):
                async with asyncio.timeout(1.0):
                    await connection.wait_closed()

    async def _open(self) -> "asyncssh.SFTPClient":
        import asyncssh  # noqa: PLC0415 - a quarter of a second, for those only who speak SFTP

        server = self._server
        keys, private = _Keys(server), _private(server)
        dialled = await self._dial()
        try:
            self._connection = await asyncssh.connect(
                server.host, server.port, sock=dialled, username=server.user, client_factory=keys.client,
                known_hosts=([], [], []), config=None, agent_path=None, gss_host=None, x509_trusted_certs=None,
                client_keys=private, password=None if server.by_key else server.secret,
                keepalive_interval=KEEPALIVE, keepalive_count_max=3, login_timeout=self._timeout,
            )  # fmt: skip
            return await self._connection.start_sftp_client(path_errors="surrogateescape")
        except asyncssh.HostKeyNotVerifiable:
            raise Fault("retry", f"the key of {server.host} is not the one that is known: {keys.offered}") from None
        except asyncssh.PermissionDenied:
            way = "the key" if server.by_key else "the password"
            raise Fault("retry", f"{server.host} refuses {server.user} with {way}: permission denied") from None
        except (asyncssh.Error, OSError) as error:
            raise Fault("retry", f"{server.host}: {reason(error)}") from None

    async def _dial(self) -> socket.socket:
        """Connect to an address that may be dialled; the name is not looked up again after that."""
        server = self._server
        try:
            addresses = await self._resolve(server.host, server.port)
        except (OSError, UnicodeError) as error:
            raise Fault("retry", f"{server.host} cannot be resolved: {error}") from None
        passed = [address for address in addresses if allowed(address, self._networks)]
        if not passed:
            shown = ", ".join(map(str, addresses))
            detail = f"{server.host} is {shown}: not public, and not named in the connector's networks"
            raise Fault("permanent", detail)
        failure = ""
        for address in passed:
            dialled = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
            dialled.setblocking(False)
            try:
                await asyncio.get_running_loop().sock_connect(dialled, (str(address), server.port))
                return dialled
            except OSError as error:
                failure = f"{server.host}:{server.port} ({address}): {error.strerror or error}"
                dialled.close()
            except BaseException:
                dialled.close()
                raise
        raise Fault("retry", failure)


class _Keys:
    """Which key a server offered, and whether it is known."""

    def __init__(self, server: Server) -> None:
        self._known = server.fingerprints
        self.offered = "none"

    def client(self) -> "asyncssh.SSHClient":
        import asyncssh  # noqa: PLC0415 - see above

        keys = self

        class Client(asyncssh.SSHClient):
            def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
                keys.offered = f"{key.get_algorithm()} {key.get_fingerprint('sha256')}"
                return key.get_fingerprint("sha256") in keys._known

        return Client()


def _private(server: Server) -> Any:
    import asyncssh  # noqa: PLC0415 - see above

    if not server.by_key:
        return None
    try:
        return [asyncssh.import_private_key(server.secret, server.passphrase or None)]
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        raise Fault("retry", f"the private key cannot be read: {error}") from None


def reason(error: Exception) -> str:
    """Return why a connection broke or was refused, in the words of whoever said it."""
    return str(getattr(error, "reason", "") or getattr(error, "strerror", "") or error or type(error).__name__)
