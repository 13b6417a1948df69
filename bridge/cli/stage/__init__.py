"""What `genbridge demo` plays: the piece, the daemon as a child process, and the critic."""
