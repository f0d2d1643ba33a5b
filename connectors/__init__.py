"""How to speak to a destination: kinds, retry, breaker."""
