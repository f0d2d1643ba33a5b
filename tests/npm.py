"""Packages of npm for tests: programs of others that our own must get on with."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.realservers import missing


def install(folder: Path, package: str) -> None:
    """Install a package of an exact version into a folder.

    Without node the test is skipped, in CI it fails; where no registry answers it is skipped.
    """
    if not shutil.which("npm"):
        missing("node is not installed")
    words = ("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder), package)
    try:
        done = subprocess.run(words, check=False, capture_output=True, timeout=90)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{package} cannot be had here: npm install took too long")
    if done.returncode:
        pytest.skip(f"{package} cannot be had here: npm install failed")
