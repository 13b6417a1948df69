"""Addresses, URLs, and one exchange over HTTP."""
