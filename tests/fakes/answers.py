"""Answers that a test may choose, as the Http port gives them."""

from dataclasses import replace
from typing import TypeAlias

from bridge.core.network.exchange import Answer, Response, Unanswered
from bridge.core.ports import Clock

Chosen: TypeAlias = int | Response | Unanswered
"""A bare status, a whole response, or no answer at all."""


def answered(chosen: Chosen, clock: Clock, limit: int) -> Answer:
    """Return what the Http port gives for a chosen answer; a longer body is cut."""
    if isinstance(chosen, int):
        return Response(status=chosen, received_at=clock.now())
    if isinstance(chosen, Response) and len(chosen.body) > limit:
        return replace(chosen, body=chosen.body[:limit], cut=True)
    return chosen
