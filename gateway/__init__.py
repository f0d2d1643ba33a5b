"""HTTP in: authentication, limits, formats; the sources."""
