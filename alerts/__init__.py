"""Alerts: what is watched, who is told of it, and the engine that does so."""
