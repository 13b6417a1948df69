"""One file per schema: what changes, and the oldest code that can still work with it."""
