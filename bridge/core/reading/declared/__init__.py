"""An API described in YAML (PROVIDERS, section 6): its keys, checked and made into an `Api`."""
