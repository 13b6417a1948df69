"""Waits, asks, sends and remembers; what to do is decided in `core`."""
