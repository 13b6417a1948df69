"""When to look at a generation again."""
