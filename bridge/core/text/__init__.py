"""Text: times, JSON, durations, and what must be cut or cleaned."""
