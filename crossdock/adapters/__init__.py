"""The only code that speaks to NATS, FastStream, Valkey and SQL, and the in-memory twins of those."""
