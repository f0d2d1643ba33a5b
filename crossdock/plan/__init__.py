"""What a change of content does: called by `crossdock plan`."""
