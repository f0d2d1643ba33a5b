"""The operations API and the page in front of it."""
