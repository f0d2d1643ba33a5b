"""Versioned JSON Schemas of event types: registry and validation."""
