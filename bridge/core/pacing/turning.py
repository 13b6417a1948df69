"""What the clocks say that happened: wall time was set, or the machine has slept (DETECTION §6).

Nothing fires because the wall clock was set: waits are on the other clocks.
"""

from dataclasses import dataclass
from enum import StrEnum

TOLERATED = 5.0
"""Seconds by which clocks may drift apart between two notes."""


class Turn(StrEnum):
    """What happened to the clocks since they were noted last."""

    NOTHING = "nothing"
    SET = "set"
    """The wall clock jumped: offsets of other clocks are learnt anew."""
    WOKEN = "woken"
    """The machine was suspended: as after a start."""


@dataclass(slots=True, kw_only=True)
class Clocks:
    """The clocks as they were noted last, in seconds.

    `wall` jumps when it is set, `boot` goes on in suspend (CLOCK_BOOTTIME), `running` does not
    (CLOCK_MONOTONIC).
    """

    wall: float
    boot: float
    running: float

    def note(self, wall: float, boot: float, running: float) -> tuple[Turn, float]:
        """Return what happened since the last note, and over how many seconds."""
        slept = (boot - self.boot) - (running - self.running)
        jumped = (wall - self.wall) - (boot - self.boot)
        self.wall, self.boot, self.running = wall, boot, running
        if slept > TOLERATED:
            return Turn.WOKEN, slept
        return (Turn.SET, jumped) if abs(jumped) > TOLERATED else (Turn.NOTHING, 0.0)
