"""The breaker of a webhook: whether its deliveries go out, or only probes (DELIVERY, section 4).

It opens when nothing but failures comes back, and closes when three probes in a row were accepted.
What waits meanwhile spends nothing and is not touched: the breaker is one value of the webhook.
Moments are seconds on the monotonic clock.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeAlias

from bridge.core.delivering.health import Health
from bridge.core.delivering.standing import Breaker
from bridge.core.delivering.trouble import Blame

IN_A_ROW = 10
"""Counted failures in a row that open it, of at least two deliveries."""

SHARE = 0.7
LEAST = 20
"""Failed attempts of those in the last `SPAN`, and how many of them there must be, to open it."""

SPAN = 60.0
"""Seconds of the past that the share is counted over."""

DISLIKED = 10
"""Generations in a row whose messages must be refused before that counts as the receiver's."""

ACCEPTED = 3
"""Probes accepted in a row that close it."""

BRISK = 600.0
"""Seconds since it opened in which a probe goes out every 5 s at least."""

UNREACHED = 0.75
"""Seconds between two of these probes while nobody can be reached.

Such a probe costs no receiver anything, and whoever comes back gets its first delivery within 1 s.
"""

_PAUSES = (1.0, 2.0, 4.0, 5.0)
_BRISK_PROBES = 121
"""From so many failed probes on they are rare: 10 s, doubling."""

_LONGEST_PAUSE = 300.0

JITTER = 0.2
"""The share by which a pause is spread."""

Window: TypeAlias = tuple[tuple[int, int, int], ...]
"""Attempts and the failed ones among them, for each stretch of `_STRETCH` seconds."""

_STRETCH = 5.0
_STRETCHES = int(SPAN / _STRETCH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """What decides whether the breaker of a webhook is open, and since when nothing was accepted.

    `row` counts failures in a row, the first of the delivery `first`; `several`: of more than one.
    `disliked` are the last generations in a row whose messages were refused. While it is `open`,
    `probes` counts those that failed since `opened_at`, `passed` those accepted in a row.
    `unreached`: the last failure has reached nobody. A *streak* is as in `Health`; it began at
    `since`.
    """

    open: bool = False
    probes: int = 0
    opened_at: float = 0.0
    passed: int = 0
    row: int = 0
    first: int | None = None
    several: bool = False
    disliked: tuple[int, ...] = ()
    unreached: bool = False
    streak: int = 0
    since: float | None = None
    failures: int = 0
    told: int = 0

    @property
    def untroubled(self) -> bool:
        """Whether an accepted delivery changes nothing of it."""
        return not (self.open or self.row or self.disliked or self.told) and (
            self.since is None
        )

    @property
    def word(self) -> Breaker:
        """What people call its state."""
        if not self.open:
            return Breaker.CLOSED
        return Breaker.HALF_OPEN if self.passed else Breaker.OPEN

    def health(self, now: float) -> Health:
        """Return what of it outlasts a restart."""
        age = None if self.since is None else timedelta(seconds=max(0.0, now - self.since))
        return Health(
            open=self.open,
            opened=self.probes,
            streak=self.streak,
            failing=age,
            failures=self.failures,
            told=self.told,
        )


def recalled(health: Health, now: float) -> Circuit:
    """Return the circuit of a webhook as the last run, or another replica, has left it."""
    age = health.failing
    return Circuit(
        open=health.open,
        probes=health.opened,
        opened_at=now,
        streak=health.streak,
        since=None if age is None else now - age.total_seconds(),
        failures=health.failures,
        told=health.told,
    )


def heard(circuit: Circuit, before: Health, health: Health, now: float) -> Circuit:
    """Return it after another replica has told of a streak; `before` is what was told last.

    What one replica gets accepted ends the streak for all of them, and a streak has the number
    and the age that whoever saw it first has given it. Whether it is open stays as it is.
    """
    if health.failing is None:
        return circuit if before.failing is None else _over(circuit, health)
    told = (health.streak, health.failures, health.told)
    if told == (before.streak, before.failures, before.told):
        return circuit
    if circuit.since is not None and health.streak < circuit.streak:
        return circuit
    since = now - health.failing.total_seconds()
    if circuit.since is not None and health.streak == circuit.streak:
        since = min(since, circuit.since)
    return replace(
        circuit,
        streak=max(circuit.streak, health.streak),
        since=since,
        failures=max(circuit.failures, health.failures),
        told=max(circuit.told, health.told),
    )


def _over(circuit: Circuit, health: Health) -> Circuit:
    return replace(
        _healthy(circuit), streak=max(circuit.streak, health.streak), told=health.told
    )


def _healthy(circuit: Circuit) -> Circuit:
    return replace(
        circuit, row=0, first=None, several=False, disliked=(), since=None, failures=0
    )


def accepted(circuit: Circuit) -> Circuit:
    """Return it after an accepted delivery, which ends the streak; what was told is kept.

    What a webhook accepts while it is open counts like a probe, whenever it was sent.
    """
    healthy = _healthy(circuit)
    if not circuit.open:
        return healthy
    if circuit.passed + 1 >= ACCEPTED:
        return replace(healthy, open=False, probes=0, passed=0)
    return replace(healthy, probes=0, passed=circuit.passed + 1)


def failed(
    circuit: Circuit,
    *,
    blame: Blame,
    delivery: int,
    generation: int,
    probe: bool,
    window: Window,
    now: float,
    unreached: bool = False,
) -> Circuit:
    """Return it after a failure; `window` has it already, `unreached`: it has reached nobody.

    A failure of ours changes nothing, one that is the message's only together with many more.
    """
    if blame is Blame.US:
        return circuit
    if blame is Blame.EVENT:
        circuit = _disliked(circuit, generation)
        if len(circuit.disliked) < DISLIKED:
            return circuit
    circuit = replace(_counted(circuit, blame, delivery, now), unreached=unreached)
    if not circuit.open:
        return _opened(circuit, now) if _is_too_much(circuit, window) else circuit
    if circuit.passed:
        return _opened(circuit, now)
    # What was sent before it opened says nothing of how it is now.
    return replace(circuit, probes=_probes(circuit, now)) if probe else circuit


def throttled(circuit: Circuit, now: float) -> Circuit:
    """Return it after a throttle: no failure, but nothing was accepted either.

    It opens no breaker. Who throttles for ever is switched off in the end all the same.
    """
    return _lasting(circuit, now)


def _probes(circuit: Circuit, now: float) -> int:
    """Return how many probes have failed after one more, as far as pauses go.

    However many fit into the brisk time, the pauses after it begin with the shortest. A probe
    that has reached nobody makes no later one rarer.
    """
    if not _is_brisk(circuit, now):
        return max(circuit.probes, _BRISK_PROBES - 1) + 1
    if circuit.unreached:
        return circuit.probes
    return min(circuit.probes, _BRISK_PROBES - 2) + 1


def _is_brisk(circuit: Circuit, now: float) -> bool:
    return now - circuit.opened_at < BRISK and circuit.probes < _BRISK_PROBES


def ended(circuit: Circuit, now: float) -> Circuit:
    """Return it after the receiver has switched itself off: people are told all there is."""
    if circuit.since is None:
        circuit = replace(circuit, streak=circuit.streak + 1, since=now, failures=1)
    return replace(circuit, told=100)


def _disliked(circuit: Circuit, generation: int) -> Circuit:
    if generation in circuit.disliked or len(circuit.disliked) >= DISLIKED:
        return circuit
    return replace(circuit, disliked=(*circuit.disliked, generation))


def _counted(circuit: Circuit, blame: Blame, delivery: int, now: float) -> Circuit:
    # Once ten generations were refused in a row, all ten refusals have been failures in a row.
    row = max(circuit.row + 1, DISLIKED if blame is Blame.EVENT else 0)
    another = circuit.first is not None and circuit.first != delivery
    return replace(
        _lasting(circuit, now),
        row=row,
        first=delivery if circuit.first is None else circuit.first,
        several=circuit.several or another or blame is Blame.EVENT,
    )


def _lasting(circuit: Circuit, now: float) -> Circuit:
    """Return it after an attempt that was not accepted, which begins or prolongs the streak."""
    begins = circuit.since is None
    return replace(
        circuit,
        streak=circuit.streak + begins,
        since=now if begins else circuit.since,
        failures=1 if begins else circuit.failures + 1,
        told=0 if begins else circuit.told,
    )


def _is_too_much(circuit: Circuit, window: Window) -> bool:
    if circuit.row >= IN_A_ROW and circuit.several:
        return True
    attempts = sum(n for _, n, _ in window)
    return attempts >= LEAST and sum(n for _, _, n in window) >= SHARE * attempts


def _opened(circuit: Circuit, now: float) -> Circuit:
    return replace(circuit, open=True, probes=0, passed=0, opened_at=now)


def pause(circuit: Circuit, now: float, spread: float) -> timedelta:
    """Return how long an open breaker waits until the next probe; `spread` is in [-1, 1].

    While probes are accepted they follow each other at once.
    """
    if circuit.passed:
        return timedelta()
    if not _is_brisk(circuit, now):
        above = max(0, circuit.probes - _BRISK_PROBES)
        seconds = min(_LONGEST_PAUSE, 10.0 * 2.0 ** min(above, 10))
    elif circuit.unreached:
        seconds = UNREACHED
    else:
        seconds = _PAUSES[min(circuit.probes, len(_PAUSES) - 1)]
    return _spread(seconds, spread)


def _spread(seconds: float, spread: float) -> timedelta:
    return timedelta(seconds=seconds * (1.0 + JITTER * max(-1.0, min(1.0, spread))))


def noted(window: Window, now: float, *, failure: bool) -> Window:
    """Return a window with one more attempt; what is older than a minute is gone."""
    stretch = int(now // _STRETCH)
    if window and window[-1][0] == stretch:
        _, attempts, failures = window[-1]
        return (*window[:-1], (stretch, attempts + 1, failures + failure))
    kept = tuple(one for one in window if one[0] > stretch - _STRETCHES)
    return (*kept, (stretch, 1, int(failure)))


MILESTONES = (50, 70, 90)
"""Shares of `disable_after`, in per cent, at which people are told."""

LEAST_FAILURES = 20
LEAST_AGE = timedelta(hours=12).total_seconds()
"""Without so many attempts over so many seconds no webhook is switched off by itself."""


def milestone(circuit: Circuit, now: float, disable_after: timedelta) -> int | None:
    """Return the share of `disable_after` that a streak has reached, if nobody was told yet.

    100: the webhook is to be switched off.
    """
    if circuit.since is None:
        return None
    age = now - circuit.since
    share = 100.0 * age / max(1e-9, disable_after.total_seconds())
    if share >= 100.0 and circuit.failures >= LEAST_FAILURES and age >= LEAST_AGE:
        return 100
    reached = max((one for one in MILESTONES if share >= one), default=0)
    return reached if reached > circuit.told else None
