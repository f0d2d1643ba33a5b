"""A mail server that keeps what it gets: enough of SMTP (RFC 5321), STARTTLS (RFC 3207) and AUTH PLAIN (RFC 4954)."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class Mailbox:
    """What came in; `refuses` is an answer that it gives to MAIL instead of taking anything."""

    port: int = 0
    tls: ssl.SSLContext | None = None
    login: tuple[str, str] | None = None
    refuses: str = ""
    mails: list[EmailMessage] = field(default_factory=list)
    to: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)


@asynccontextmanager
async def mailbox(tls: ssl.SSLContext | None = None, login: tuple[str, str] | None = None) -> AsyncIterator[Mailbox]:
    """Listen on a free port."""
    box = Mailbox(tls=tls, login=login)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _converse(box, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    async with server:
        yield box


async def _converse(box: Mailbox, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    encrypted, known = False, box.login is None

    async def say(text: str) -> None:
        writer.write(f"{text}\r\n".encode())
        await writer.drain()

    await say("220 sink")
    while line := (await reader.readline()).decode().strip():
        word = line.split()[0].upper()
        if word == "EHLO":
            await say("250-sink\r\n" + ("250-STARTTLS\r\n" if box.tls and not encrypted else "") + "250 AUTH PLAIN")
        elif word == "STARTTLS" and box.tls:
            await say("220 go on")
            await writer.start_tls(box.tls)
            encrypted = True
        elif word == "AUTH" and box.login:
            _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
            known = (user, password) == box.login
            await say("235 welcome" if known else f"535 no such {password}")
        elif word == "MAIL" and (box.refuses or not known):
            await say(box.refuses or "530 who are you")
        elif word == "RCPT":
            box.to.append(line.partition(":")[2])
            await say("250 fine")
        elif word == "DATA":
            await say("354 go on")
            raw = await reader.readuntil(b"\r\n.\r\n")
            box.mails.append(message_from_bytes(raw[:-3], policy=policy.default))
            box.encrypted.append(encrypted)
            await say("250 taken")
        elif word == "QUIT":
            return await say("221 bye")
        else:
            await say("250 fine")
    return None
