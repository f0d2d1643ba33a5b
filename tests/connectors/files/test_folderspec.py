"""What connector files of the kinds `file` and `sftp` may say."""

from pathlib import Path
from typing import Any

import pytest

from connectors.folderspec import FolderOptions, FolderPoll
from connectors.kinds import open_connector, open_origin
from connectors.reading import load
from crossdock.formats.kinds import make_format
from crossdock.kernel.problems import Refused

KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIJX7eFZi0Lf1m4eBNsTKRwYcPEgoBpdbkO1Mm1mJcmHV"
FILE = "connector: drop\nkind: file\nfolder: /var/drop\nformat: csv\n"
SFTP = (
    "connector: drop\nkind: sftp\nhost: sftp.example\nuser: shop\nhost_key: '${HOST_KEY}'\n"
    "auth: {password: '${PASSWORD}'}\nfolder: in\nformat: jsonl\nname: a.jsonl\n"
)
ENV = {"HOST_KEY": f"sftp.example ssh-ed25519 {KEY}", "PASSWORD": "s3cret"}


def loaded(root: Path, text: str) -> Any:
    (root / "connectors").mkdir(exist_ok=True)
    (root / "connectors" / "drop.yaml").write_text(text)
    return load(root, ENV)["drop"]


def codes(root: Path, text: str) -> list[str]:
    with pytest.raises(Refused) as refused:
        loaded(root, text)
    return [f"{problem.line} {problem.code}" for problem in refused.value.problems]


def test_a_folder_a_format_and_a_name_are_enough(tmp_path: Path) -> None:
    spec = loaded(tmp_path, FILE + "name: a.csv\n")

    assert spec.options == FolderOptions("/var/drop", make_format("csv"), "a.csv")
    open_connector(spec, object())  # type: ignore[arg-type]


def test_everything_that_may_be_said_is_read(tmp_path: Path) -> None:
    text = (
        "batch: {most: 3, within: 1s}\ncontrol: .done\nmost: 1MiB\ncheck: write\n"
        "poll: {glob: '*.txt', archive: old, errors: bad, settle: 1m}\n"
    )

    spec = loaded(tmp_path, FILE + text)

    poll = FolderPoll("*.txt", "old", "bad", 60.0)
    assert spec.options == FolderOptions("/var/drop", make_format("csv"), "", ".done", 1 << 20, 3, 1.0, poll, True)
    open_origin(spec, object())  # type: ignore[arg-type]


def test_a_line_of_known_hosts_stands_for_its_fingerprint_and_the_password_is_a_secret(tmp_path: Path) -> None:
    spec = loaded(tmp_path, SFTP)

    (fingerprint,) = spec.options.server.fingerprints
    assert fingerprint.startswith("SHA256:") and len(fingerprint) == 50
    assert spec.secrets == ("s3cret",)
    assert "s3cret" not in repr(spec)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (FILE, ["1 missing_key"]),
        (FILE.replace("/var/drop", "var/drop") + "name: a\n", ["3 bad_value"]),
        (FILE.replace("/var/drop", "/var/../etc") + "name: a\n", ["3 bad_value"]),
        (FILE + "name: ../a\n", ["5 bad_value"]),
        (FILE + "name: {expression: '$nope()'}\n", ["5 unknown_function"]),
        (FILE + "poll: {archive: ../up}\n", ["5 bad_value"]),
        (FILE.replace("csv", "{csv: {header: false}}") + "name: a\n", ["4 bad_format"]),
        (FILE.replace("csv", "{csv: {heder: false}}") + "name: a\n", ["4 unknown_key", "4 bad_format"]),
        (FILE.replace("csv", "fixed") + "name: a\n", ["4 bad_value"]),
        (SFTP.replace("'${HOST_KEY}'", "none"), ["5 bad_host_key"]),
        (SFTP.replace("host_key: '${HOST_KEY}'\n", ""), ["1 missing_key"]),
        (SFTP.replace("sftp.example", "169.254.169.254"), ["3 private_address"]),
        (SFTP.replace("sftp.example", "0x7f.1"), ["3 private_address"]),
        (SFTP.replace("{password: '${PASSWORD}'}", "{passphrase: x}"), ["6 bad_value"]),
    ],
)
def test_what_could_never_work_is_told_at_its_place(text: str, found: list[str], tmp_path: Path) -> None:
    assert codes(tmp_path, text) == found


def test_a_format_that_is_misspelt_is_told_with_what_was_meant(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        loaded(tmp_path, FILE.replace("csv", "cvs") + "name: a.csv\n")

    (problem,) = refused.value.problems
    assert problem.message == "'cvs' is not one of them"
    assert problem.hint.startswith("did you mean csv?")
