"""The path of an event: process, deliver, record."""
