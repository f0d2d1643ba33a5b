"""Devices, partners and target systems of the demo and of the tests."""
