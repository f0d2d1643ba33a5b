"""Imports the NATS client without aiohttp, which costs 14 MiB and 0.13 s and is for brokers behind WebSockets only."""

from importlib import import_module
from typing import Any

from crossdock.kernel.lean import without

with without("aiohttp"):
    _transport: Any = import_module("nats.aio.transport")


def load_websockets() -> None:
    """Make up for it; an address of a broker may begin with `ws:` or `wss:`."""
    _transport.aiohttp, _transport.multidict = import_module("aiohttp"), import_module("multidict")
