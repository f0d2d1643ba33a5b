"""The channel `email`: a plain text mail over SMTP, each notice with the Message-ID that it always has."""

import asyncio
import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any

from alerts.notice import Notice
from crossdock.kernel.problems import Unavailable

TIMEOUT = 15.0
PORTS = {"tls": 465, "starttls": 587, "none": 25}


async def send(options: Mapping[str, Any], notice: Notice) -> str:
    """Hand a notice to the mail server.

    Raises:
        Unavailable: it did not take it, or for none of the addresses.
    """
    try:
        return await asyncio.to_thread(_send, options, letter(options, notice))
    except smtplib.SMTPAuthenticationError as error:
        raise Unavailable(f"the mail server refuses user or password ({error.smtp_code})") from None
    except (smtplib.SMTPException, OSError) as error:
        raise Unavailable(f"{type(error).__name__}: {_said(error, options)}") from None


def letter(options: Mapping[str, Any], notice: Notice) -> EmailMessage:
    """Return the mail of a notice."""
    made = EmailMessage()
    made["Subject"] = notice.title()[:200]
    made["From"] = options["from"]
    made["To"] = ", ".join(options["to"])
    made["Date"] = formatdate(notice.at / 1000)
    made["Message-ID"] = f"<{notice.id}@{options['from'].rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence answers it
    made.set_content(notice.text())
    return made


def _send(options: Mapping[str, Any], mail: EmailMessage) -> str:
    security = options.get("security", "starttls")
    host, _, port = options["server"].partition(":")
    context = ssl.create_default_context()
    number = int(port or PORTS[security])
    with _connect(host, number, security, context) as server:
        if security == "starttls":
            server.starttls(context=context)
        if "user" in options:
            server.login(options["user"], options.get("password", ""))
        refused = server.send_message(mail)
    return f"taken by {host}" + (f", but not for {', '.join(refused)}" if refused else "")


def _connect(host: str, port: int, security: str, context: ssl.SSLContext) -> smtplib.SMTP:
    if security == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=context)
    return smtplib.SMTP(host, port, timeout=TIMEOUT)


def _said(error: Exception, options: Mapping[str, Any]) -> str:
    """Return what the server said, without the password should it have repeated that."""
    text = " ".join(str(error).split())[:300]
    password = options.get("password", "")
    return text.replace(password, "***") if password else text
