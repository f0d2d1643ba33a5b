"""A YAML language server as an editor drives it: JSON-RPC over its standard input and output."""

import json
import queue
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

WITHIN = 30.0
PROGRAM = "node_modules/yaml-language-server/bin/yaml-language-server"


class Told(NamedTuple):
    """A diagnostic: line and column from 1, the text it marks, and what it says."""

    line: int
    column: int
    marked: str
    message: str


class LanguageServer:
    """One server for one project, with the settings that `crossdock init` wrote for VS Code."""

    def __init__(self, process: "subprocess.Popen[bytes]", project: Path) -> None:
        self.process = process
        self.project = project
        settings = json.loads((project / ".vscode/settings.json").read_text())
        self.yaml = {"schemas": settings["yaml.schemas"], "schemaStore": {"enable": False}, "validate": True}
        self.yaml |= {"hover": True, "completion": True}
        self.told: queue.Queue[dict[str, Any]] = queue.Queue()
        self.number = 0
        threading.Thread(target=self._read, daemon=True).start()

    def start(self) -> None:
        """Shake hands."""
        root = self.project.as_uri()
        plain = {"completion": {"completionItem": {"documentationFormat": ["markdown"]}}, "publishDiagnostics": {}}
        capabilities = {"workspace": {"configuration": True, "workspaceFolders": True}, "textDocument": plain}
        folders = [{"uri": root, "name": self.project.name}]
        self.ask("initialize", processId=None, rootUri=root, capabilities=capabilities, workspaceFolders=folders)
        self._send(method="initialized", params={})
        self._until(lambda message: message.get("method") == "workspace/configuration")

    def diagnostics(self, shown: Sequence[tuple[str, str]]) -> list[list[Told]]:
        """Return what the server says of each of several files with a text, all opened at once."""
        texts = {self._show(file, text): text.splitlines() for file, text in shown}
        said: dict[str, list[Told]] = {}
        while len(said) < len(texts):
            found = self._until(lambda message: message.get("method") == "textDocument/publishDiagnostics")["params"]
            if found["uri"] in texts:
                said[found["uri"]] = sorted(_told(texts[found["uri"]], one) for one in found["diagnostics"])
        return [said[uri] for uri in texts]

    def completions(self, file: str, text: str) -> dict[str, str]:
        """Return what is offered where `|||` stands in a text, with what each means."""
        before, after = text.split("|||")
        found = self._ask_at("completion", self._show(file, before + after), before)
        items = found["items"] if isinstance(found, dict) else found or []
        return {item["label"]: _text(item.get("documentation")) for item in items}

    def hover(self, file: str, text: str, word: str) -> str:
        """Return what is shown over the first occurrence of a word."""
        found = self._ask_at("hover", self._show(file, text), text.partition(word)[0])
        return _text(found["contents"]) if found else ""

    def ask(self, method: str, **params: Any) -> Any:
        """Return the answer to a request."""
        self.number += 1
        number = self.number
        self._send(id=number, method=method, params=params)
        answer = self._until(lambda message: message.get("id") == number and "method" not in message)
        assert "error" not in answer, answer
        return answer["result"]

    def _ask_at(self, what: str, uri: str, before: str) -> Any:
        where = {"line": before.count("\n"), "character": len(before.rpartition("\n")[2])}
        return self.ask(f"textDocument/{what}", textDocument={"uri": uri}, position=where)

    def _show(self, file: str, text: str) -> str:
        """Open a file of that path in a folder of its own: what is told of it cannot be about an earlier text."""
        self.number += 1
        uri = (self.project / str(self.number) / file).as_uri()
        document = {"uri": uri, "version": 1, "languageId": "yaml", "text": text}
        self._send(method="textDocument/didOpen", params={"textDocument": document})
        return uri

    def _until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            message = self.told.get(timeout=WITHIN)
            if "id" in message and "method" in message:
                self._send(id=message["id"], result=self._asked(message))
            if wanted(message):
                return message

    def _asked(self, message: dict[str, Any]) -> Any:
        if message["method"] != "workspace/configuration":
            return None
        sections = {"yaml": self.yaml, "[yaml]": {}, "editor": {}, "http": {}, "files": {}}
        return [sections.get(item["section"]) for item in message["params"]["items"]]

    def _send(self, **message: Any) -> None:
        raw = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(raw), raw))
        self.process.stdin.flush()

    def _read(self) -> None:
        out = self.process.stdout
        assert out
        while line := out.readline():
            length = int(line.partition(b":")[2])
            while out.readline().strip():  # other headers, up to the empty line
                pass
            self.told.put(json.loads(out.read(length)))


def _told(lines: list[str], one: dict[str, Any]) -> Told:
    start, end = one["range"]["start"], one["range"]["end"]
    line = lines[start["line"]] if start["line"] < len(lines) else ""
    last = end["character"] if end["line"] == start["line"] else len(line)
    return Told(start["line"] + 1, start["character"] + 1, line[start["character"] : last], one["message"])


def _text(found: Any) -> str:
    return found if isinstance(found, str) else found["value"] if found else ""


@contextmanager
def language_server(folder: Path, project: Path) -> Iterator[LanguageServer]:
    """Run the server that npm installed into a folder, for a project."""
    words = ("node", str(folder / PROGRAM), "--stdio")
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as process:
        try:
            server = LanguageServer(process, project)
            server.start()
            yield server
        finally:
            process.kill()
