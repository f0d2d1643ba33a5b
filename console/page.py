"""The one page of the console: it asks for the token and shows the overview the API gives."""

PAGE = "<!doctype html><title>Crossdock</title><p>Crossdock operations API: /ops/v1"
