"""Crossdock: integration middleware for retail."""

VERSION = "0.1.0"
