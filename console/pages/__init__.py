"""The console: pages in NiceGUI over the operations API."""

from importlib import import_module

from crossdock.kernel.lean import without

# What NiceGUI loads for others: a client of sockets, shared sessions, coloured logs. They cost 24 MiB and 0.25 s.
with without("aiohttp", "pygments", "redis", "requests", "rich", "valkey"):
    import_module("nicegui.nicegui")
    import_module("httpx")
