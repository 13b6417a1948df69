"""The tables of one source: which one a watch is paced by, and what a new one begins from."""

from collections.abc import Iterable, Iterator
from itertools import groupby, islice

from bridge.core.ladder import State
from bridge.core.looking import Abilities
from bridge.core.pacing import few
from bridge.core.pacing.prior import Prior, inherited, log_logistic
from bridge.core.pacing.saved import SavedTable, together
from bridge.core.pacing.table import Table

WHOLE = "*"
"""The state of a table that spans all rungs: from the creation to the end."""

UNKNOWN = ""
"""The model of a document that names none."""

MOST = 256
"""Tables of one source; a model beyond them shares the table of the unknown one.

Models are words of strangers, and a table takes 25 kB: an API that makes up a name for every job
must not fill the memory.
"""

SOLVES = 4
"""Plans that are made anew in one turn of `Tables.replan`."""

LONGEST_NAME = 200
"""Characters of a model's name; a longer one counts as unknown."""

MEDIANS = {"image": 10.0, "video": 90.0, "music": 60.0, "batch": 3600.0}
"""Seconds by what a provider makes; below, in its queue (DETECTION.md, section 8)."""

QUEUED = 5.0

Key = tuple[str, str]

_QUEUED, _DREAMING = State.QUEUED.word, State.DREAMING.word


def spanned(rank: int, *, terminal_only: bool) -> str:
    """Return the state whose table paces a watch of this rank.

    `queued` also before anything was seen; `*` where nobody wants to hear of a state before the
    end.
    """
    if terminal_only:
        return WHOLE
    return _DREAMING if rank >= State.DREAMING else _QUEUED


class Tables:
    """The tables of one source, by (model, state); each is made when it is first asked for."""

    def __init__(self, abilities: Abilities, saved: Iterable[SavedTable] = ()) -> None:
        self._abilities = abilities
        self._tables: dict[Key, Table] = {}
        self._kept: dict[Key, int] = {}
        ordered = sorted(saved, key=_key)
        for key, rows in groupby(ordered, key=_key):
            found = together(rows)
            if found is not None and len(self._tables) < MOST:
                table = self._tables[key] = Table(self._prior(*key, ()), found)
                self._kept[key] = table.looks

    def __iter__(self) -> Iterator[tuple[Key, Table]]:
        """Give every table with its (model, state)."""
        return iter(self._tables.items())

    def __len__(self) -> int:
        return len(self._tables)

    def find(self, model: str, state: str) -> Table:
        """Return the table of a model's state (`spanned`); a new one begins from its siblings."""
        table = self._tables.get((model, state))
        if table is not None:
            return table
        full = len(self._tables) >= MOST
        if model != UNKNOWN and (full or len(model) > LONGEST_NAME):
            return self.find(UNKNOWN, state)
        siblings = [one for (_, of), one in self._tables.items() if of == state]
        table = self._tables[model, state] = Table(self._prior(model, state, siblings))
        return table

    def replan(self, price: float) -> None:
        """Bring the plans for few looks up to a price: `SOLVES` of them at most, 1 ms each."""
        stale = (
            one for one in self._tables.values() if few.stale(one.plan, one.curve, price)
        )
        for table in islice(stale, SOLVES):
            table.plan = few.plan(table.curve, price)

    def unsaved(self) -> list[SavedTable]:
        """Return the tables that have learnt since they were last returned here."""
        fresh = [(key, one) for key, one in self if one.looks != self._kept.get(key, 0)]
        self._kept.update({key: one.looks for key, one in fresh})
        return [one.saved(*key) for key, one in fresh]

    def _prior(self, model: str, state: str, siblings: Iterable[Table]) -> Prior:
        """Return what is believed of a model's state: known, else inherited, else by its kind."""
        known = self._known(model, state)
        if known is not None:
            return log_logistic(known)
        base = self._known(UNKNOWN, state)
        prior = log_logistic(self._usual(state) if base is None else base)
        return inherited(prior, [(one.n, one.x) for one in siblings])

    def _known(self, model: str, state: str) -> float | None:
        """Return the median that the provider's file gives, in seconds."""
        priors = self._abilities.priors
        if (model, state) in priors:
            return priors[model, state].total_seconds()
        if state != WHOLE or (model, _DREAMING) not in priors:
            return None
        queued = self._known(model, _QUEUED)
        return priors[model, _DREAMING].total_seconds() + (queued or QUEUED)

    def _usual(self, state: str) -> float:
        if state == _QUEUED:
            return QUEUED
        usual = MEDIANS.get(self._abilities.makes, MEDIANS["video"])
        return usual + QUEUED if state == WHOLE else usual


def _key(saved: SavedTable) -> Key:
    return (saved.model, saved.state)
