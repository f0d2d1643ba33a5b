"""Measures of Crossdock: `make bench`."""
