"""Dead letters: what Crossdock gave up on, and how it is sent again."""
