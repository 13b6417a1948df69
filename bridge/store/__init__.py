"""Keeps promises: what was accepted is on disk, whatever happens next."""
