"""How replicas and requests share what is limited."""
