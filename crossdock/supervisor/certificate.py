"""The certificate of the console: read again when its files change, as it is renewed while all goes on."""

import logging
import os
import ssl

from crossdock.kernel.accesssettings import Tls

log = logging.getLogger(__name__)


class Renewal:
    """Knows which state of the files is in use."""

    def __init__(self, files: Tls) -> None:
        self._files = files
        self._used = self._state()

    def look(self, context: ssl.SSLContext | None) -> None:
        """Put a changed certificate in use for connections to come; a half written one is tried again."""
        found = self._state()
        if context is None or found == self._used:
            return
        try:
            for one in (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), context):  # what does not fit must not spoil ours
                one.load_cert_chain(self._files.cert, self._files.key)
        except OSError as error:
            log.warning("the certificate of the console cannot be renewed yet: %s", error)
        else:
            log.info("the certificate of the console was renewed")
            self._used = found

    def _state(self) -> tuple[tuple[int, int], ...]:
        try:
            found = [os.stat(name) for name in (self._files.cert, self._files.key)]
        except OSError:
            return ()
        return tuple((one.st_mtime_ns, one.st_ino) for one in found)
