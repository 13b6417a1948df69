"""Choosing: what is asked about a watch that is due, and who is asked about along with it."""

from math import inf

from bridge.core.looking import Get, Hold
from bridge.core.pacing import holding
from bridge.core.pacing.forecast import TOLD_FROM
from bridge.engine.learner import Learner
from bridge.engine.pacer import Pacer
from bridge.engine.roster import Roster
from bridge.engine.running import Running

TRIES = 4
"""Watches that are thought of for each place in a batch, at most."""

DEARER = 1.02
"""How much dearer a look may be than when a watch was reckoned due, and it still is.

A wait is off by a fiftieth then at most, and who is due is not reckoned anew for less.
"""


class Chooser:
    """Chooses for one source. Moments are monotonic seconds."""

    def __init__(self, *, roster: Roster, pacer: Pacer, learner: Learner) -> None:
        self._roster = roster
        self._pacer = pacer
        self._learner = learner
        self._unseen = 0
        """Holds of generations that were never seen: what they bring teaches nothing."""

    def question(self, running: Running, now: float) -> Get | Hold:
        """Return what to ask about a watch, if it is asked about alone."""
        watch = running.watch
        if now >= running.deadline or running.alone:
            return Get(id=running.id)
        only = self._learner.terminal_only(watch)
        if not (only and self._too_early(running, now)) and self._pacer.holding(
            running, now
        ):
            # A first one that waits for the lowest rung is answered at once.
            until = holding.rung(watch.rank, watch.until, terminal_only=only)
            self._unseen += running.rung.seen is None
            return Hold(id=running.id, until=until)
        return Get(id=running.id)

    def _too_early(self, running: Running, now: float) -> bool:
        """Return whether a first look had better be a plain one than a hold for the end.

        A hold from the beginning waits while next to nothing ends, once it is known when that is;
        and where several first looks can go together, one request is enough for all of them.
        """
        if running.rung.seen is not None or self._pacer.batch(now) <= 1:
            return False
        following = self._roster.next()
        crowd = following is not None and following <= now
        known = max(round(running.rung.table.changes), self._unseen) >= TOLD_FROM
        return crowd or known

    def together(self, first: Running, now: float) -> tuple[list[Running], int]:
        """Return whom one request asks about, and how many of them are due, the first ones.

        Who is due goes before who will be soonest; those fill it up for nothing, as the request is
        made anyway. Where holds are the way of looking, only those that nothing is known of yet.
        """
        asked, size, due = [first], self._pacer.batch(now), 1
        if size <= 1 or first.alone:
            return asked, due
        holds = self._pacer.holds_any
        until = now if holds else inf
        passed: list[tuple[Running, float]] = []
        left = TRIES * size
        while left and (taken := self._roster.take(until, min(size - len(asked), left))):
            left -= len(taken)
            woken: list[Running] = []
            later: list[tuple[Running, float]] = []
            for one, at in taken:
                if one.alone or (holds and one.rung.seen is not None):
                    passed.append((one, at))
                elif at <= now:
                    woken.append(one)
                else:
                    later.append((one, at))
            ripe = self._due_among(woken, now)
            asked += ripe
            due += len(ripe)
            for one, at in later:
                if not one.errors and self._pacer.ready(one, now):
                    asked.append(one)
                else:
                    passed.append((one, at))
        for one, at in passed:
            self._roster.again(one, at)
        return asked, due

    def _due_among(self, woken: list[Running], now: float) -> list[Running]:
        """Return who is due of those whose moment has come; the others go back to wait.

        A moment of the queue is only one to ask the rule at.
        """
        going, settled = self._pacer.going, self._pacer.settled(now)
        ripe: list[Running] = []
        doubted: list[Running] = []
        for one in woken:
            if (
                settled
                and one.due <= now
                and one.priced * DEARER >= going
                and one.rung.not_before <= now
            ):
                # Nothing that would let it wait has come since this was reckoned.
                ripe.append(one)
            else:
                doubted.append(one)
        for one, at in self._pacer.reckoned(doubted, now):
            if one.due <= now:
                ripe.append(one)
            else:
                self._roster.again(one, at)
        return ripe
