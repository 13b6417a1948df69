"""Sends requests and reads answers: the only folder that speaks HTTP outwards.

A connection is an asyncio protocol, its answers are read by llhttp (httptools). No client library
lies between: httpx's pool scans all connections for every request (51 ms of CPU per request at
256 at once), and the words of httpx alone cost more than everything that is left here.
"""

from bridge.http.client import Client

__all__ = ["Client"]
