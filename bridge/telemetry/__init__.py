"""What the daemon tells about itself: its log, and its state to the service manager."""
