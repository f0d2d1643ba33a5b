"""What happened to every event: entries, ledger."""
