"""How many watches a replica ought to own, and what it learns of them (STORE, section 4)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil

from bridge.core.delivering.delivery import WebhookState
from bridge.core.watch import Generation, Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many watches there are, and whose; `living` replicas, this one among them.

    `unowned` and `orphaned` (owned by the dead) may stop counting at some high number: what is
    beyond it comes with a later tally.
    """

    living: int
    owned: int
    others: int
    unowned: int
    orphaned: int

    @property
    def everything(self) -> int:
        """How many watches run."""
        return self.owned + self.others + self.unowned + self.orphaned

    @property
    def target(self) -> int:
        """The fair share: what each has when all have the same."""
        return ceil(self.everything / max(1, self.living))

    def may_own(self, owned: int, births: int) -> bool:
        """Whether a new watch may be this replica's own from the start.

        It owns `owned` by now, and has begun `births` watches since the tally, whosever.
        """
        share = ceil((self.everything + births) / max(1, self.living))
        return self.living <= 1 or owned <= share + 20

    @property
    def wanted(self) -> int:
        """How many to take up now: a little above the share, so that counts may be stale."""
        room = self.target + max(20, self.target // 50) - self.owned
        return max(0, min(room, self.unowned + self.orphaned))

    @property
    def surplus(self) -> int:
        """How many to give back now, down to the share; none for a small imbalance.

        The gap between taking and giving keeps two replicas from passing watches to and fro.
        """
        above = self.owned - self.target
        return above if above > max(50, self.target // 8) else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulletin:
    """What others have done since the last one.

    Watches of ours that somebody has changed or ended, how the webhooks stand now, by their
    ids, and the tally.
    """

    changed: tuple[Watch, ...] = ()
    ended: tuple[Generation, ...] = ()
    states: Mapping[int, WebhookState] = field(default_factory=dict)
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Spare:
    """A watch that can be given back, and in how many seconds its next look is due."""

    watch: Watch
    wait: float
