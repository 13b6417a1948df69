"""Hints: a provider's own callback says "look at this one", and nothing of it is believed.

How far hints replace looks is learnt from looks (DETECTION §5). Moments are seconds
on a clock that never goes back.
"""

from dataclasses import dataclass, field

from bridge.core.ladder import State
from bridge.core.sharing.gate import Gate

APART = 1.0
"""Seconds between two looks at one generation that hints ask for."""

SHARE = 0.2
"""The share of a key's looks that hints may ask for."""

CONFIRMED = 10
"""Changes that were hinted, with none that was not, until hints are relied on."""

RELIED_ON, ALONE = 0.01, 1.0
"""What a watch weighs in the price: a tenth of the looks, or all of them."""

PATIENCE = 10.0
"""Seconds by which a hint and the look that sees its change may lie apart, either way."""


@dataclass(slots=True, kw_only=True)
class Record:
    """How hints of one kind of change did so far."""

    confirmed: int = 0

    @property
    def weight(self) -> float:
        """What a watch weighs that such a change ends."""
        return RELIED_ON if self.confirmed >= CONFIRMED else ALONE


@dataclass(slots=True, kw_only=True)
class Hints:
    """The hints of one source; `looks` is what its key makes a second at most.

    Many providers hint at the end only, so ends and rungs are counted apart. `heard` is when a
    generation that was hinted at is looked at, for that or anyway, `asked` when for that,
    `awaited` the changes that looks saw first: a hint may still come.
    """

    looks: float
    ends: Record = field(default_factory=Record)
    rungs: Record = field(default_factory=Record)
    heard: dict[str, float] = field(default_factory=dict)
    asked: dict[str, float] = field(default_factory=dict)
    awaited: dict[str, tuple[float, Record]] = field(default_factory=dict)
    gate: Gate = field(init=False)

    def __post_init__(self) -> None:
        """Begin with the share of the key."""
        self.gate = Gate(rate=SHARE * self.looks)

    def weight(self, expected: State) -> float:
        """Return what a watch weighs in the price that waits for a state."""
        return self._record(expected).weight

    def _record(self, state: State) -> Record:
        return self.ends if state.terminal else self.rungs

    def hinted(self, id: str, now: float, due: float) -> float | None:  # noqa: A002  (an id is an id)
        """Return when to look for a hint's sake, None: not sooner than at `due` anyway.

        Once a second per generation and within the share of the key, however many come.
        """
        waiting = self.awaited.pop(id, None)
        if waiting is not None:
            waiting[1].confirmed += 1
        at = max(self.gate.opens(now), self.asked.get(id, float("-inf")) + APART)
        # A look that has to wait for its turn sees the change late, and is hinted all the same.
        self.heard[id] = max(now, min(at, due))
        if at >= due or self.asked.get(id, float("-inf")) > now:
            return None
        self.gate.take(at)
        self.asked[id] = at
        return at

    def changed(self, id: str, state: State, now: float) -> None:  # noqa: A002  (as above)
        """Note that a look saw a new state of a generation, hinted or not.

        Not what the first look at it saw: nobody was listening before.
        """
        record = self._record(state)
        heard = self.heard.pop(id, float("-inf"))
        if now - heard <= PATIENCE:
            record.confirmed += 1
        elif record.confirmed:
            self.awaited[id] = (now + PATIENCE, record)

    def sweep(self, now: float) -> bool:
        """Forget what is over; return whether a change has just turned out to be missed.

        Then hints of that kind count for nothing until ten more are confirmed.
        """
        late = [id_ for id_, (until, _) in self.awaited.items() if until < now]
        for id_ in late:
            self.awaited.pop(id_)[1].confirmed = 0
        for id_ in [one for one, at in self.heard.items() if now - at > PATIENCE]:
            del self.heard[id_]
        for id_ in [one for one, at in self.asked.items() if now - at > APART]:
            del self.asked[id_]
        return bool(late)
