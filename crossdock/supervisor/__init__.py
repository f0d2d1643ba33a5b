"""Composition root: starts servers and processes and plugs adapters into the parts."""
