"""Certificates of a connector: an authority of its own, and what it proves itself with (mTLS)."""

import os
import ssl
from dataclasses import dataclass
from functools import cache

from crossdock.kernel.environment import UNSET
from crossdock.kernel.problems import Problem
from crossdock.kernel.yamlfile import Document


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Names of PEM files; `ca` stands for the authorities of the system, the certificate may hold the key."""

    ca: str = ""
    certificate: str = ""
    key: str = ""

    def context(self) -> ssl.SSLContext:
        """Return what verifies the target and proves who we are.

        Raises:
            OSError: a file cannot be read or used; `ssl.SSLError` is one.
        """
        made = ssl.create_default_context(cafile=self.ca or None)
        if self.certificate:
            made.load_cert_chain(self.certificate, self.key or None, password=_no_password)
        return made


class Trust:
    """The TLS context of one connector, made again when a file has changed: certificates are renewed as it runs."""

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self._stamps: list[tuple[int, int]] = []
        self._made: ssl.SSLContext | None = None

    def __call__(self) -> ssl.SSLContext:
        """Return the context; see `TlsFiles.context`."""
        named = [name for name in (self._files.ca, self._files.certificate, self._files.key) if name]
        stamps = [(found.st_mtime_ns, found.st_ino) for found in map(os.stat, named)]
        if self._made is None or stamps != self._stamps:
            self._made, self._stamps = self._files.context(), stamps
        return self._made


@cache
def of_the_system() -> ssl.SSLContext:
    """Return the context that trusts the authorities of the system; reading them takes tens of milliseconds."""
    return ssl.create_default_context()


def read_tls(document: Document, problems: list[Problem]) -> TlsFiles | None:
    """Return what a connector file says under `tls`; what is wrong with the files is a problem."""
    said = document.value.get("tls")
    if said is None:
        return None
    files = TlsFiles(said.get("ca", ""), said.get("certificate", ""), said.get("key", ""))
    if not any(UNSET in name for name in (files.ca, files.certificate, files.key)):
        try:
            files.context()
        except OSError as error:
            why = error.strerror or getattr(error, "reason", "") or "not what is meant"
            hint = "PEM files; the key belongs to the certificate and has no password"
            problems.append(document.problem(("tls",), "bad_tls", f"the files cannot be used: {why}", hint))
    return files


def _no_password() -> str:
    """Refuse a key with a password; without this OpenSSL would ask the terminal for it."""
    return ""
