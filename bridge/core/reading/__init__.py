"""From a provider's answer to a reading, whatever shape the API gives it."""
