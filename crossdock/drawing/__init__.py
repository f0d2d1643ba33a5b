"""The content as a graph; called by `crossdock graph` and `crossdock plan`."""
