"""Trust in one certificate, whatever name it is for: that of the own installation, which is called by its address."""

import ssl


def pinned(certificate: str) -> ssl.SSLContext:
    """Return what trusts the chain of a PEM file and nobody else.

    Raises:
        OSError: the file cannot be read; `ssl.SSLError` is one.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # its authority need not be in the file
    made.load_verify_locations(cafile=certificate)
    return made
