"""How late a change is found for how many looks: the project's own pacing, on virtual time.

usage: ./run bench pace [--seeds 4] [--part learned|drift|fleet|crowd|bursts|batches|cost ...]

Round trip 0. Rivals spend exactly as many looks, tuned in hindsight: a fixed interval, and
exponential polling (doubling; x1.5 up to 60 s). `ref` is the sketch of DETECTION.md, section 2, on
the same jobs. Ends with 1 where a figure that was asked for is not reached.
"""

import argparse
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from random import Random

from bench.pacing import laws, reference, rivals
from bench.pacing.key import STATE, Job, Key, arrivals
from bench.pacing.laws import drawn, log_normal
from bridge.core.looking import Abilities
from bridge.core.pacing import few
from bridge.core.pacing.price import SHARE, Price
from bridge.core.pacing.prior import log_logistic
from bridge.core.pacing.table import Table
from bridge.core.pacing.tables import Tables
from bridge.core.sharing.gate import Gate

SPANS = ((0, 100), (100, 1000), (1000, 2000))
MORE = 300
"""Jobs behind the last span: it must not end in a dying fleet."""

FLEETS = 12
"""Seeds of a mixed fleet: of a single one the gain is 2.77 to 3.05 at K = 8."""

AMPLE = 1e4
"""Requests a second that are never missing."""

GAINS = {"logn .5": 1.35, "logn .25": 2.2, "modes": 2.0, "normal": 6.8}
"""Asked for after 1,000 jobs, at K = 12 and K = 6 (issue: detection that learns)."""

NOTHING_LOST = 0.97
"""Of the fixed interval, where there is nothing to gain, from job 100 on."""

BATCH_DELAY = 6.5
"""Seconds, of 10,000 ids at 10 requests a second of 50 each."""

BUDGET = 1.25
"""Times K that the first 100 jobs may cost."""

missed: list[str] = []


def asked(what: str, reached: float, bound: float, *, least: bool = True) -> str:
    """Return a figure beside what is asked, and remember where it is not reached."""
    good = reached >= bound if least else reached <= bound
    if not good:
        missed.append(what)
    sign = "≥" if least else "≤"
    return f"{sign} {bound:g}{'' if good else '  MISSED'}"


def priced(k: float, median: float = 60.0) -> Key:
    """Return a key with requests to spare, whose source wishes K looks and knows nothing yet."""
    prior = {("", STATE): timedelta(seconds=median)}
    abilities = Abilities(rate=AMPLE, floor=timedelta(0), priors=prior)
    return Key(tables=Tables(abilities), price=Price.of(looks=k, rate=AMPLE))


# -------------------------------------------------------------------- learned from nothing


def mean(values: Sequence[float]) -> float:
    """Return the mean."""
    return sum(values) / len(values)


def spans_of(
    times: Sequence[float],
    looks: Sequence[float],
    late: Sequence[float],
    spans: Sequence[tuple[int, int]],
) -> list[list[float]]:
    """Return looks, delay and gain over the fixed interval in each span of jobs."""
    rows = []
    for a, b in spans:
        spent, delay = mean(looks[a:b]), mean(late[a:b])
        rows.append([spent, delay, rivals.fixed(times[a:b], spent) / delay])
    return rows


def live(times: Sequence[float], k: float, seed: int) -> Key:
    """Watch jobs that come one a second with a key that knows nothing."""
    key = priced(k)
    key.watch(arrivals(times, 1.0, seed))
    return key


def learned(seeds: int) -> None:
    """Print what is learnt from nothing, of every law."""
    print(
        "A. nothing known: K; then for jobs 0-100, 100-1000, 1000-2000 looks a job, delay s,"
    )
    print(
        "   gain over fixed at equal looks; last span: over x2, x1.5; gain / ref in each span"
    )
    for name, law in (laws.KNOWN | laws.OTHERS).items():
        for k in (3, 6, 12):
            row, other, beside = _averaged(law, k, seeds)
            cells = " ".join(f"{n:5.2f} {d:6.2f} {g:5.2f}" for n, d, g in row)
            ratios = "/".join(
                f"{own[2] / ref[2]:.2f}" for own, ref in zip(row, other, strict=True)
            )
            print(
                f"{name:10}{k:2}  {cells}  {beside[0]:5.1f} {beside[1]:5.1f}  {ratios}"
                f"  {_judged(name, k, row)}",
                flush=True,
            )


def _averaged(
    law: laws.Law, k: int, seeds: int
) -> tuple[list[list[float]], list[list[float]], list[float]]:
    """Return the means over seeds: ours, the reference's, gains over exponential polling."""
    own, ref, beside = [], [], []
    for seed in range(1, seeds + 1):
        times = drawn(law, SPANS[-1][1] + MORE, seed)
        jobs = live(times, k, seed).jobs
        looks, late = [float(j.looks) for j in jobs], [j.delay for j in jobs]
        own.append(spans_of(times, looks, late, SPANS))
        theirs, their_late = reference.live(times, k, seed)
        ref.append(spans_of(times, [float(n) for n in theirs], their_late, SPANS))
        a, b = SPANS[-1]
        spent, delay = mean(looks[a:b]), mean(late[a:b])
        beside.append(
            [
                rivals.tuned(times[a:b], spent, rivals.backoff(*family)) / delay
                for family in ((2.0, math.inf), (1.5, 60.0))
            ]
        )
    return _means(own), _means(ref), [mean(column) for column in zip(*beside, strict=True)]


def _means(runs: Sequence[Sequence[Sequence[float]]]) -> list[list[float]]:
    return [
        [mean(cell) for cell in zip(*rows, strict=True)] for rows in zip(*runs, strict=True)
    ]


def _judged(name: str, k: int, row: Sequence[Sequence[float]]) -> str:
    """Return what is asked of a row."""
    told = []
    if row[0][0] > BUDGET * k:
        told.append(asked(f"{name} K={k} first 100", row[0][0], BUDGET * k, least=False))
    if name in GAINS and k > few.FEW / 2:
        told.append(asked(f"{name} K={k}", row[2][2], GAINS[name]))
    if name == "exponent" and k > few.FEW / 2:
        told += [
            asked(f"{name} K={k}", min(row[1][2], row[2][2]), NOTHING_LOST),
        ]
    return " ".join(told)


# -------------------------------------------------------------------- it was otherwise


def drift(seeds: int) -> None:
    """Print how it does where durations change, and where the prior is wrong."""
    print("B. durations double; the prior 60 s and the truth 8 s, 600 s: jobs after it")
    before = 2000
    cases: list[tuple[str, int, int, Callable[[Random, int], float]]] = [
        ("slow x2", 12, before, lambda r, i: _slower(r, i, before)),
        ("true 8", 6, 0, lambda r, _: log_normal(8, 0.4)(r)),
        ("true 600", 6, 0, lambda r, _: log_normal(600, 0.4)(r)),
    ]
    for name, k, start, law in cases:
        spans = [
            (start, start + 100),
            (start + 100, start + 500),
            (start + 500, start + 1500),
        ]
        own, ref, drifts = [], [], 0
        for seed in range(1, seeds + 1):
            draw = Random(seed)
            times = [law(draw, i) for i in range(start + 1500 + MORE)]
            key = live(times, k, seed)
            looks = [float(j.looks) for j in key.jobs]
            own.append(spans_of(times, looks, [j.delay for j in key.jobs], spans))
            theirs, late = reference.live(times, k, seed)
            ref.append(spans_of(times, [float(n) for n in theirs], late, spans))
            drifts += key.tables.find("", STATE).drifts
        for label, rows in (("ours", _means(own)), ("ref", _means(ref))):
            cells = "  ".join(f"{n:6.2f} {d:6.2f} {g:5.2f}" for n, d, g in rows)
            print(f"{name:9}{k:3} {label:5} {cells}", flush=True)
        print(f"{'':18} drifts seen: {drifts / seeds:.1f} a run")


def _slower(draw: Random, i: int, before: int) -> float:
    return log_normal(60, 0.25)(draw) * (1 if i < before else 2)


# -------------------------------------------------------------------- one key for all


def mixed(seed: int, count: int) -> list[Job]:
    """Return a fleet of 70 % images of 8 s and 30 % videos of 180 s, one a second."""
    draw = Random(seed)
    kinds = [
        ("image", 8.0) if draw.random() < 0.7 else ("video", 180.0) for _ in range(count)
    ]
    jobs = arrivals([log_normal(m, 0.3)(draw) for _, m in kinds], 1.0, seed)
    for job, (model, _) in zip(jobs, kinds, strict=True):
        job.model = model
    return jobs


def fleet(seeds: int) -> None:
    """Print a mixed fleet on one key: by a wish of K looks, and by a rate that allows so many.

    Beside the wish, one interval for all that spends as many looks; beside the rate, a round robin
    of the whole rate, as nothing else is within it.
    """
    print(
        "C. 70 % images of 8 s, 30 % videos of 180 s on one key, nothing known, jobs 500-3000"
    )
    print("    K    by     looks  delay s   rival    gain")
    runs = max(seeds, FLEETS)
    for k in (4, 8, 16):
        for way in ("wish", "rate"):
            looks, late, rival = (
                mean(column) for column in zip(*_fleets(k, way, runs), strict=True)
            )
            told = asked(f"fleet K={k}", rival / late, 2.9) if way == "wish" else ""
            if k == 8:
                told += " " + asked(f"fleet K=8 by {way}, s", late, 1.6, least=False)
            cells = f"{looks:6.2f} {late:8.2f} {rival:7.2f} {rival / late:7.2f}"
            print(f"   {k:2}    {way}  {cells}  {told}", flush=True)


def _fleets(k: int, way: str, seeds: int) -> Iterator[tuple[float, float, float]]:
    """Give looks, delay and the rival's delay of each seed."""
    wish, rate = (float(k), AMPLE) if way == "wish" else (1e3, (k + 1) / SHARE)
    for seed in range(1, seeds + 1):
        key = priced(60.0)
        key.price, key.gate = Price.of(looks=wish, rate=rate), Gate(rate=rate, burst=0.1)
        key.watch(mixed(seed, 3300))
        jobs = key.jobs[500:3000]
        looks = mean([j.looks for j in jobs])
        if way == "wish":
            rival = rivals.fixed([j.lasts for j in jobs], looks)
        else:
            rival = mean(round_robin(key.jobs, rate)[500:3000])
        yield looks, mean([j.delay for j in jobs]), rival


# -------------------------------------------------------------------- too many for the rate


def crowd(seeds: int) -> None:
    """Print a key of 10 looks a second that gets more than it can look at often."""
    print(
        "D. 10 looks/s, log-normal 60 s, sigma .4, law known: mean (p99) s, round robin's;"
    )
    print("   first with looks at admission for nothing (as in DETECTION.md), then counted")
    cases: list[tuple[str, str, Callable[[Random], list[float]]]] = [
        ("1/s, then 2/s", "4.2 (12), 5.9 (15)", _growing),
        ("5/s", "14.1 (33), 21.0 (44)", lambda d: _coming(d, 5.0, 3000)),
        ("300 at once", "10.9 (39), 12.6 (28)", lambda _: [0.0] * 300),
        ("1,000 at once", "59 (139), 84 (95)", lambda _: [0.0] * 1000),
    ]
    for name, there, births in cases:
        cells = [_crowded(births, seeds, free=free) for free in (True, False)]
        print(f"   {name:14} {cells[0]}   {cells[1]}   there: {there}", flush=True)


def _crowded(births: Callable[[Random], list[float]], seeds: int, *, free: bool) -> str:
    ours, robin = [], []
    for seed in range(1, seeds + 1):
        draw = Random(seed)
        jobs = [Job(born=at, lasts=log_normal(60, 0.4)(draw)) for at in births(draw)]
        key = priced(24)
        key.price, key.gate = Price.of(looks=24, rate=10), Gate(rate=10, burst=0.1)
        key.free = free
        _warm(key)
        key.watch(jobs)
        ours += [j.delay for j in jobs]
        robin += round_robin(jobs, 10.0, free=free)
    return (
        f"{mean(ours):5.1f} ({quantile(ours, 0.99):3.0f}),"
        f" {mean(robin):5.1f} ({quantile(robin, 0.99):3.0f})"
    )


def _warm(key: Key) -> None:
    """Let a table learn the law first, as in the figures of the page."""
    table, draw = key.tables.find("", STATE), Random(0)
    for _ in range(1000):
        lasts, age = log_normal(60, 0.4)(draw), 0.0
        while age < lasts:
            last, age = age, table.next(age, table.integral / 11.5)
            table.looked(last, age, age >= lasts)


def _coming(draw: Random, rate: float, count: int) -> list[float]:
    at, found = 0.0, []
    for _ in range(count):
        at += draw.expovariate(rate)
        found.append(at)
    return found


def _growing(draw: Random) -> list[float]:
    first = _coming(draw, 1.0, 1000)
    return first + [first[-1] + at for at in _coming(draw, 2.0, 2000)]


def round_robin(jobs: Sequence[Job], rate: float, *, free: bool = False) -> list[float]:
    """Return the delays where the key looks at one after the other, at its full rate.

    Whoever comes is looked at after all others, or, where looks at admission count, first.
    """
    turns: deque[int] = deque()
    late = [0.0] * len(jobs)
    coming, now = 0, 0.0
    while coming < len(jobs) or turns:
        while coming < len(jobs) and jobs[coming].born <= now:
            (turns.append if free else turns.appendleft)(coming)
            coming += 1
        if turns:
            i = turns.popleft()
            end = jobs[i].born + jobs[i].lasts
            if now >= end:
                late[i] = now - end
            else:
                turns.append(i)
        now += 1.0 / rate
    return late


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that a share does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


# -------------------------------------------------------------------- crowds and batches


def bursts(seeds: int) -> None:
    """Print crowds that begin at once: does a table think that the law has changed."""
    print(
        "E. 1,000 jobs one by one, then six times 300 at once, K = 12, nothing known before:"
    )
    print(
        "   of the crowds looks a job, delay s, gain over fixed, drifts seen (there are none)"
    )
    for name, law in (laws.KNOWN | laws.OTHERS).items():
        rows, drifts = [], 0
        for seed in range(1, seeds + 1):
            times = drawn(law, 2800, seed)
            jobs = arrivals(times[:1000], 1.0, seed)
            calm = jobs[-1].born + 1000.0
            jobs += [
                Job(born=calm + 1000.0 * (i // 300), lasts=t)
                for i, t in enumerate(times[1000:])
            ]
            key = priced(12)
            key.watch(jobs)
            looks, late = [float(j.looks) for j in jobs], [j.delay for j in jobs]
            rows.append(spans_of(times, looks, late, [(1000, 2800)]))
            drifts += key.tables.find("", STATE).drifts
        looks_, late_, gain = _means(rows)[0]
        print(
            f"   {name:10} {looks_:6.2f} {late_:6.2f} {gain:6.2f} {drifts / seeds:5.1f}",
            flush=True,
        )


def batches(_: int) -> None:
    """Print 10,000 ids at 10 requests a second of 50 ids each."""
    print("F. 10,000 ids, 10/s, batches of 50, log-normal 60 s, sigma .4, nothing known")
    for free in (True, False):
        key = _batched(10_000, free=free)
        jobs = [j for j in key.jobs if 120 <= j.born < key.jobs[-1].born - 60]
        late = mean([j.delay for j in jobs])
        told = asked("batches", late, BATCH_DELAY, least=False) if free else ""
        most = crowded_second(key.requests)
        print(
            f"   looks at admission {'free   ' if free else 'counted'}  delay {late:5.2f} s {told}"
            f"   round robin 10.0   most requests in a second {most}  "
            f"{asked('requests in a second', most, 12, least=False)}",
            flush=True,
        )


def _batched(count: int, *, free: bool) -> Key:
    """Watch about so many at a time, five minutes long."""
    draw, watched = Random(1), 60 * math.exp(0.4**2 / 2) + BATCH_DELAY
    born = _coming(draw, count / watched, int(count / watched * 300))
    key = priced(24)
    key.price, key.batch, key.free = Price.of(looks=24, rate=10, batch=50), 50, free
    key.gate = Gate(rate=10, burst=0.1)
    key.watch([Job(born=at, lasts=log_normal(60, 0.4)(draw)) for at in born])
    return key


def crowded_second(requests: Sequence[float]) -> int:
    """Return the most requests in any second."""
    most, first = 0, 0
    for last, at in enumerate(requests):
        while requests[first] <= at - 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


# -------------------------------------------------------------------- what it costs


def cost(_: int) -> None:
    """Print what decisions cost on this machine."""
    print("G. CPU: µs each, best of five; decisions a second with the heap")
    key = live(drawn(log_normal(60, 0.5), 2000, 1), 12, 1)
    table = key.tables.find("", STATE)
    curve, prior = table.curve, log_logistic(60.0)
    spare, ends = (
        Table(prior, table.saved("", STATE)),
        drawn(log_normal(60, 0.5), 20_000, 2),
    )
    turn = iter(ends)
    print(f"   next      {_each(lambda: curve.next(37.3, 0.5), 20_000):8.2f}")
    print(
        f"   unchanged {_each(lambda: spare.exposed(50.0, 58.0), 4_000):8.2f}  with rebuilds"
    )
    spare = Table(prior, table.saved("", STATE))
    print(
        f"   changed   {_each(lambda: _ended(spare, next(turn)), 4_000):8.2f}  with rebuilds"
    )
    print(f"   rebuild   {_each(lambda: Table(prior), 200):8.2f}")
    price = curve.integral / 2.5
    print(f"   few looks {_each(lambda: few.plan(curve, price), 50):8.2f}")
    began = time.process_time()
    decisions = 0
    for seed in (1, 2, 3):
        decisions += live(drawn(log_normal(60, 0.5), 4000, seed), 24, seed).decisions
    rate = decisions / (time.process_time() - began)
    print(
        f"   decisions/s, each with its look learnt: {rate:,.0f}  "
        f"{asked('decisions/s', rate, 100_000)}"
    )


def _ended(table: Table, end: float) -> None:
    table.changed(0.97 * end, end)


def _each(step: Callable[[], object], times: int) -> float:
    """Return microseconds of one call."""
    best = math.inf
    for _ in range(5):
        began = time.process_time()
        for _ in range(times):
            step()
        best = min(best, time.process_time() - began)
    return best / times * 1e6


PARTS = {
    "learned": learned,
    "drift": drift,
    "fleet": fleet,
    "crowd": crowd,
    "bursts": bursts,
    "batches": batches,
    "cost": cost,
}


def main() -> None:
    """Print all parts, or those named; exit 1 where a figure is not reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--part", choices=PARTS, nargs="+", default=list(PARTS))
    options = parser.parse_args()
    for part in options.part:
        PARTS[part](options.seeds)
        print()
    print(
        "not reached: " + "; ".join(missed) if missed else "every figure asked is reached"
    )
    raise SystemExit(1 if missed else 0)


if __name__ == "__main__":
    main()
