"""What is sent, signed and judged on the way from an event to a webhook."""
