"""What a disk can do to a store: lose power, fill up, fail. Each has a control that must fail."""
