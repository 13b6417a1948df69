"""Every decision, as plain functions and records: nothing here waits, asks, sends or remembers."""
