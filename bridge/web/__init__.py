"""What the daemon answers over HTTP: whether it is alive and ready to work."""
