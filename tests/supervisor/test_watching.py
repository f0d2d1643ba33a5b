"""The watched folder and an operations side that breaks."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from crossdock.supervisor import watching
from crossdock.supervisor.report import Ready, Report
from crossdock.supervisor.watching import Watching
from tests.smallproject import write


@contextmanager
def answering(code: int, puts: list[int]) -> Iterator[str]:
    """Serve on a free port; `puts` gets the size of every upload."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(code)
            self.end_headers()

        def do_PUT(self) -> None:
            puts.append(len(self.rfile.read(int(self.headers["content-length"]))))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(("code", "said"), [(500, "answers with 500"), (503, "")])
def test_a_failure_is_said_once_and_one_that_ends_by_itself_is_tried_again(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    code: int,
    said: str,
) -> None:
    monkeypatch.setattr(watching, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(watching, "STILL_FOR", 0.01)
    puts: list[int] = []

    async def scenario(url: str) -> None:
        watched = Watching(write(tmp_path), Ready("", url, "token", ""), Report(json=False))
        await watched.first()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(watched.run(), 0.5)

    with answering(code, puts) as url:
        asyncio.run(scenario(url))
    assert (len(puts) == 1) == bool(said)
    told = capsys.readouterr().err
    assert said in told and bool(told) == bool(said)
