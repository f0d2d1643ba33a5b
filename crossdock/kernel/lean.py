"""Imports a library without others that it uses only if they are there."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def without(*libraries: str) -> Iterator[None]:
    """Let imports inside find these libraries not installed; those loaded already stay, others may be loaded later."""
    modules: dict[str, Any] = sys.modules
    absent = [library for library in libraries if library not in modules]
    modules.update(dict.fromkeys(absent))
    try:
        yield
    finally:
        for library in absent:
            del modules[library]
