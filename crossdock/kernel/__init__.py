"""What every part of Crossdock shares; imports nothing else of it."""
