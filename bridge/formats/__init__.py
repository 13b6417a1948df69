"""What receivers are told, and how they answer: one file for each kind. No I/O."""
