"""The configuration: a YAML file made settings, each mistake named with its place."""

from bridge.config.environment import Environment
from bridge.config.loading import load, mistakes
from bridge.config.mistakes import Mistake, Wrong
from bridge.config.schema import json_schema
from bridge.config.serving import server_of

__all__ = [
    "Environment",
    "Mistake",
    "Wrong",
    "json_schema",
    "load",
    "mistakes",
    "server_of",
]
