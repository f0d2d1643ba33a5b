"""Simulated systems of others, for the ready-made connectors: each knows the field names that its vendor publishes."""
