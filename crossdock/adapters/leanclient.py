"""Imports the NATS client without aiohttp, which costs 14 MiB and 0.13 s and is for brokers behind WebSockets only."""

import sys
from importlib import import_module
from typing import Any


def _load_without(library: str) -> Any:
    """Import the client's transports as where a library is not installed; others may still import it later."""
    if library in sys.modules:
        return import_module("nats.aio.transport")
    modules: dict[str, Any] = sys.modules
    modules[library] = None
    try:
        return import_module("nats.aio.transport")
    finally:
        del modules[library]


_transport = _load_without("aiohttp")


def load_websockets() -> None:
    """Make up for it; an address of a broker may begin with `ws:` or `wss:`."""
    _transport.aiohttp, _transport.multidict = import_module("aiohttp"), import_module("multidict")
