"""Words: how an API calls the rungs that a script names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bridge.core.ladder import State

RUNGS: Mapping[str, State] = {state.word: state for state in State}
"""The rungs by the words that scripts use for them."""

ENDS = ("cancelled", "expired", "moderated")
"""Further words of scripts: ends that few APIs tell apart from `failed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words of one API.

    `rungs` holds every word of a rung, the usual one first; a rung without a word is shown as
    the next one. `ends` has the words for cancelled, expired, moderated; each must be one of a
    rung as well. Where an end has no word, it is shown as `failed`.
    """

    rungs: Mapping[State, Sequence[str]]
    ends: Mapping[str, str] = field(default_factory=dict)

    def shown(self, word: str) -> str:
        """Return the API's word for a script's; what the script has in the API's words stays."""
        if word in self.ends:
            return self.ends[word]
        rung = State.FAILED if word in ENDS else RUNGS.get(word)
        return word if rung is None else self._usual(rung)

    def rank(self, word: str) -> int | None:
        """Return the rank of a script's word, None for one that neither side knows."""
        if word in ENDS:
            return State.FAILED
        known = (rung for rung, words in self.rungs.items() if word in words)
        return RUNGS.get(word, next(known, None))

    def _usual(self, rung: State) -> str:
        return next(self.rungs[r][0] for r in State if r >= rung and self.rungs.get(r))


LADDER = Words(rungs={state: (state.word,) for state in State})
"""Words that are the ladder's own."""
