"""How commands reach a running installation: `--ops URL --token T`, the environment, or the data folder."""

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from contextvars import ContextVar
from http.client import HTTPException
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from crossdock.kernel.pinned import pinned

DataOption = Annotated[Path, typer.Option("--data", file_okay=False, help="The data folder of the installation.")]
OpsOption = Annotated[str, typer.Option("--ops", envvar="CROSSDOCK_OPS_URL", help="Its operations address.")]
TokenOption = Annotated[str, typer.Option("--token", envvar="CROSSDOCK_OPS_TOKEN", help="Its operations token.")]
DATA = Path("data")
AUTHORITY: ContextVar[Path | None] = ContextVar("authority", default=None)  # the file of `--ca`, for all commands
TIMEOUT = 120.0
UNPROCESSABLE = 422


class Remote:
    """The operations API of one installation."""

    def __init__(self, url: str, token: str, data: Path) -> None:
        cert = ""
        if not url:
            url, token, cert = _found(data)
        if not url.startswith(("http://", "https://")):
            raise typer.BadParameter(f"{url} is not an http address", param_hint="--ops")
        self._url, self._token = url.rstrip("/"), token
        self._trust = _trust(cert) if url.startswith("https://") else None

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Return the answer; a refusal is written to standard error and ends the command with exit code 1."""
        status, answer = self.send(method, path, None if body is None else json.dumps(body).encode())
        if status == UNPROCESSABLE:
            fail(str(answer["detail"]))
        return answer

    def lines(self, path: str) -> Iterator[Any]:
        """Yield the documents of an answer of lines as they come; a refusal or an error ends the command."""
        request = urllib.request.Request(self._url + path)
        request.add_header("authorization", f"Bearer {self._token}")
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT, context=self._trust) as answer:
                for line in answer:
                    document = json.loads(line)
                    if "detail" in document:
                        fail(str(document["detail"]))
                    yield document
        except urllib.error.HTTPError as error:
            fail(str(_read(error)["detail"]))
        except (OSError, HTTPException) as error:
            fail(f"{self._url} does not answer: {getattr(error, 'reason', error)}")

    def send(self, method: str, path: str, body: bytes | None, media: str = "application/json") -> tuple[int, Any]:
        """Return status and document of an answer, 422 among them; any other refusal ends the command."""
        request = urllib.request.Request(self._url + path, body, method=method)
        request.add_header("authorization", f"Bearer {self._token}")
        if body is not None:
            request.add_header("content-type", media)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT, context=self._trust) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            answer = _read(error)
            if error.code == UNPROCESSABLE:
                return error.code, answer
            fail(str(answer["detail"]))
        except (OSError, HTTPException) as error:
            fail(f"{self._url} does not answer: {getattr(error, 'reason', error)}")
        except ValueError:
            fail(f"{self._url} does not answer as Crossdock's operations API does")


def fail(message: str) -> NoReturn:
    """End the command with a message and exit code 1."""
    typer.echo(message, err=True)
    raise typer.Exit(1)


def _read(error: urllib.error.HTTPError) -> Any:
    refused = {"detail": f"refused with {error.code}"}
    with suppress(ValueError):
        document = json.loads(error.read())
        return document if isinstance(document, dict) and "detail" in document else refused
    return refused


def _trust(cert: str) -> ssl.SSLContext:
    """Return what an https address must prove itself by: `--ca`, the certificate of the data folder, or the system."""
    given = AUTHORITY.get()
    try:
        return pinned(cert) if cert and not given else ssl.create_default_context(cafile=given)
    except OSError as error:
        fail(f"the certificate {given or cert} cannot be used: {error}")


def _found(data: Path) -> tuple[str, str, str]:
    try:
        found = json.loads((data / "run.json").read_bytes())
    except OSError:
        fail(f"nothing runs in {data}: start it with `up --data {data}`, or name it with --ops and --token")
    return found["console"], found["ops_token"], found.get("cert", "")
