"""Random SIGKILLs, and an audit of what the receivers got."""
