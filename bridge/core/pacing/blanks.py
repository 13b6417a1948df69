"""Completed without outputs: how long to wait for what the API promises (PROVIDERS.md, rule 12)."""

from bridge.core.ladder import State
from bridge.core.looking import Observation

LOOKS_AFTER = (1.0, 3.0)
"""Seconds until the first and the second further look; then it is announced as it is."""


def grace(observation: Observation, blanks: int, *, promised: bool) -> float | None:
    """Return seconds to wait before announcing a completion, None: announce it now.

    `blanks` is how often it was seen completed without outputs before.
    """
    if not promised or observation.state is not State.COMPLETED or observation.outputs:
        return None
    return LOOKS_AFTER[blanks] if blanks < len(LOOKS_AFTER) else None
