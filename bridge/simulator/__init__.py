"""Simulated upstream APIs and a verifying receiver, for `demo`, `simulate`, `listen` and tests."""
