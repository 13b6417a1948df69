"""One file per upstream API; `luma_agents.py` is `luma-agents` in the YAML."""
