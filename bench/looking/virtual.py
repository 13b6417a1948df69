"""The figures of virtual time."""

import math
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from random import Random

from bench.looking.api import Api, Job, Limit
from bench.looking.figures import told
from bench.looking.stage import Scene
from bench.pacing import rivals
from bench.pacing.laws import log_normal
from bridge.core.looking import Abilities

HOLD = timedelta(seconds=30)

LAW = log_normal(60, 0.4)
MEAN = 60 * math.exp(0.4**2 / 2)


def able(rate: float, *, hold: bool = False, batch: int | None = None) -> Abilities:
    """Return what an API can do that asks for no pause."""
    return Abilities(
        rate=rate,
        floor=timedelta(),
        hold=HOLD if hold else None,
        batch=batch,
        makes="video",
    )


def coming(draw: Random, rate: float, count: int, *, since: float = 0.0) -> list[Job]:
    """Return jobs of 60 s, sigma .4, that come at random, `rate` a second."""
    jobs, at = [], since
    for n in range(count):
        at += draw.expovariate(rate)
        jobs.append(Job(id=f"g{n}", born=at, lasts=LAW(draw)))
    return jobs


def mean(values: Sequence[float]) -> float:
    """Return the mean."""
    return sum(values) / len(values)


def crowded_second(moments: Sequence[float], seconds: float = 1.0) -> int:
    """Return the most requests in any so many seconds."""
    most, first = 0, 0
    for last, at in enumerate(moments):
        while moments[first] <= at - seconds + 1e-6:
            first += 1
        most = max(most, last - first + 1)
    return most


# -------------------------------------------------------------------- holds


def holds(seed: int) -> None:
    """Print 300 held jobs on a key of 10 looks a second."""
    print("A. 300 held jobs, 10/s, log-normal 60 s, sigma .4; holds of 30 s")
    rate = 300 / MEAN
    scene = Scene(abilities=able(10, hold=True, batch=50), rate=10, connections=400)
    api = scene.play(coming(Random(seed), rate, int(rate * 1500)), 2100)
    print(
        f"   about 300 at a time, nothing known before ({scene.cpu:.0f} s CPU); first ten minutes"
    )
    _held(api, [j for j in api.jobs.values() if j.born < 600], asked=False)
    print("   the quarter of an hour after that")
    _held(api, [j for j in api.jobs.values() if 600 <= j.born < 1500], asked=True)
    scene = Scene(abilities=able(10, hold=True, batch=50), rate=10, connections=400)
    draw = Random(seed)
    # A thousand before them have taught the table.
    jobs = coming(draw, 2.0, 1000)
    jobs += [Job(id=f"c{n}", born=900.0, lasts=LAW(draw)) for n in range(300)]
    api = scene.play(jobs, 1300)
    print(f"   300 at one moment, when the law is known ({scene.cpu:.0f} s CPU)")
    _held(api, jobs[-300:], asked=False)


def _held(api: Api, jobs: Sequence[Job], *, asked: bool) -> None:
    found = [j for j in jobs if j.found is not None]
    told("found", len(found) / len(jobs) * 100, least=100 if asked else None, unit="%")
    live = sum(j.live for j in jobs) / len(jobs) * 100
    told("ended while they were held", live, unit="%")
    soon = sum(j.delay <= 2.0 for j in found) / len(jobs) * 100
    told("seen within 2 s of their end", soon, least=98 if asked else None, unit="%")
    each = mean([j.holds for j in jobs])
    told("holds a job", each, most=1.9 if asked else None)
    told(
        "mean delay", mean([j.delay for j in found]), most=0.1 if asked else None, unit="s"
    )
    told("most delay", max(j.delay for j in found), unit="s")
    told("most requests in a second", crowded_second(api.moments), most=11)


# -------------------------------------------------------------------- batches


def batches(seed: int) -> None:
    """Print 10,000 ids at 10 requests a second of 50 ids each.

    The figure that is asked is one of DETECTION.md, where first looks are for nothing. Here they
    are not, so it is asked where the key may make as many requests more as they fill; beside it
    stands what comes of it where they have to be made of the ten.
    """
    print("B. 10,000 ids, 10/s, batches of 50, log-normal 60 s, sigma .4, nothing known")
    flow = 10_000 / (MEAN + 6.0)
    for name, rate, most in (
        ("first looks on top of it", 10.0 + flow / 50, 6.5),
        ("first looks out of it", 10.0, None),
    ):
        jobs = coming(Random(seed), flow, int(flow * 300))
        scene = Scene(abilities=able(rate, batch=50), rate=rate)
        api = scene.play(jobs, 540)
        measured = [n for n, job in enumerate(jobs) if 120 <= job.born < 240]
        seen = [jobs[n] for n in measured]
        robin = round_robin(jobs, rate, 50)
        print(f"   {name}: {rate:.1f} requests/s ({scene.cpu:.0f} s CPU)")
        told("mean delay", mean([j.delay for j in seen]), most=most, unit="s")
        told("round robin, the same jobs", mean([robin[n] for n in measured]), unit="s")
        told("ids a request", api.ids / len(api.moments))
        told(
            "first look after", mean([(j.seen_first or 0) - j.born for j in seen]), unit="s"
        )
        told("looks a job after the first", mean([j.looks - 1 for j in seen]))
        crowded = crowded_second(api.moments)
        told("most requests in a second", crowded, most=math.floor(1.02 * rate + 1))


def round_robin(jobs: Sequence[Job], rate: float, batch: int) -> list[float]:
    """Return the delays where the key asks about one after the other; who comes is the last."""
    turns: deque[int] = deque()
    late = [0.0] * len(jobs)
    next_, now = 0, 0.0
    while next_ < len(jobs) or turns:
        while next_ < len(jobs) and jobs[next_].born <= now:
            turns.append(next_)
            next_ += 1
        for _ in range(min(batch, len(turns))):
            i = turns.popleft()
            if now >= jobs[i].ends:
                late[i] = now - jobs[i].ends
            else:
                turns.append(i)
        now += 1.0 / rate
    return late


# -------------------------------------------------------------------- a day at the limit


def day(seed: int) -> None:
    """Print days and hours at 98 % of a limit that is kept exactly."""
    print(
        "C. at 98 % of the API's limit: each sliding second, and GCRA of a second's depth"
    )
    for limit, hours in ((1.0, 24.0), (10.0, 1.0), (100.0, 0.1)):
        _at_the_limit(limit, hours, seed)


def _at_the_limit(limit: float, hours: float, seed: int) -> None:
    seconds = hours * 3600
    draw, flow = Random(seed), limit / 2.8
    jobs = coming(draw, flow, int(flow * seconds))
    rate = 0.98 * limit
    kept = Limit(rate=limit)
    scene = Scene(abilities=able(rate), rate=rate, limit=kept, trip=0.2)
    api = scene.play(jobs, seconds)
    print(f"   {hours:g} h at {limit:g}/s ({scene.cpu:.0f} s CPU)")
    told("429", kept.refused, most=0)
    told(
        "requests a second, of those allowed",
        len(api.moments) / seconds / limit * 100,
        unit="%",
    )
    told("most in a second", kept.most)
    told("closer together than the limit's own pace", kept.tight)


# -------------------------------------------------------------------- a start


def start(seed: int) -> None:
    """Print a start with 100,000 watches."""
    count, rate, batch = 100_000, 10.0, 100
    print(f"D. a start with {count:,} watches, {rate:g}/s, batches of {batch}")
    draw = Random(seed)
    jobs = [Job(id=f"g{n}", born=-draw.uniform(1, 3600), lasts=1e6) for n in range(count)]
    within = 1.1 * count / (rate * batch)
    scene = Scene(abilities=able(rate, batch=batch), rate=rate)
    api = scene.play(jobs, within + 60)
    first = [j.seen_first for j in jobs if j.seen_first is not None]
    told("seen", len(first), least=count)
    told("first look after", min(first), most=2, unit="s", note=f"{scene.cpu:.0f} s CPU")
    told("all seen after", max(first), most=within, unit="s")
    told("most requests in a second", crowded_second(api.moments), most=rate + 1)
    told(
        "most requests in ten seconds",
        crowded_second(api.moments, 10.0),
        most=10 * rate + 1,
    )
    told("ids a request", api.ids / len(api.moments))


# -------------------------------------------------------------------- a mixed fleet


def fleet(seed: int) -> None:
    """Print images of 8 s and videos of 180 s on one key."""
    print("E. 70 % images of 8 s, 30 % videos of 180 s, one a second, jobs 500-3000")
    for k in (4, 8, 16):
        draw, jobs, at = Random(seed), [], 0.0
        for n in range(3300):
            at += draw.expovariate(1.0)
            image = draw.random() < 0.7
            lasts = log_normal(8.0 if image else 180.0, 0.3)(draw)
            jobs.append(
                Job(id=f"g{n}", born=at, lasts=lasts, model="image" if image else "video")
            )
        scene = Scene(abilities=able(1e4), rate=1e4, looks=k)
        scene.play(jobs, at + 1500)
        seen = jobs[500:3000]
        looks, late = mean([j.looks - 1 for j in seen]), mean([j.delay for j in seen])
        rival = rivals.fixed([j.lasts for j in seen], looks)
        print(
            f"   K {k}: {looks:.2f} looks a job, one interval {rival:.2f} s late"
            f" ({scene.cpu:.0f} s CPU)"
        )
        told("mean delay", late, unit="s", most=1.6 if k == 8 else None)
        told("gain over one interval", rival / late, least=2.9)
