"""Mappings from a raw type to a canonical type."""
