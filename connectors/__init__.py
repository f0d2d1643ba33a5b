"""How to speak to a destination: kinds, HTTP client, breaker; the connectors."""
