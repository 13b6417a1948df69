"""Sends requests and reads answers: the only folder with httpx and aiohttp.

Requests and responses are httpx's; its own connection pool is not used, because it scans
all connections for every request (51 ms of CPU per request at 256 at once). The connections
are aiohttp's, and what lies between is here.
"""

from bridge.http.client import Client

__all__ = ["Client"]
