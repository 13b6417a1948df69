"""Every decision, as plain functions and frozen records: nothing here waits, asks, sends or remembers."""
