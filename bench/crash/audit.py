"""The audit: what webhooks were told, judged from outside, without knowing how it was sent."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields

RANKS = {"queued": 0, "dreaming": 1, "completed": 2}
"""The rungs that each audited generation climbs."""

END = "completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """An accepted POST; `signed`: its signature is right."""

    webhook: str
    generation: str
    state: str
    skipped: tuple[str, ...] = ()
    uid: str
    signed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """How often a promise was broken (DESIGN.md, section 2); a repetition breaks none."""

    lost_ends: int
    """Generations whose end a webhook was not told."""
    lost_rungs: int
    """Rungs that were neither told nor named as skipped."""
    out_of_order: int
    """Chains in which an older state came after a newer one."""
    forked_ids: int
    """Events that were sent under more than one id."""
    reused_ids: int
    """Ids under which more than one event was sent."""
    badly_signed: int
    invented: int
    """Posts about generations that nobody watches."""

    @property
    def clean(self) -> bool:
        """Whether every promise was kept."""
        return not any(getattr(self, field.name) for field in fields(self))


def audit(
    posts: Sequence[Post], *, generations: Collection[str], webhooks: Collection[str]
) -> Findings:
    """Return what was broken in a log of posts, in the order in which they were accepted."""
    chains: dict[tuple[str, str], list[Post]] = defaultdict(list)
    uids: dict[tuple[str, str], set[str]] = defaultdict(set)
    events: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for post in posts:
        fact = post.generation, post.state
        chains[post.webhook, post.generation].append(post)
        uids[fact].add(post.uid)
        events[post.uid].add(fact)
    due = [chains.get((hook, one), []) for hook in webhooks for one in generations]
    return Findings(
        lost_ends=sum(END not in _told(chain) for chain in due),
        lost_rungs=sum(len(RANKS.keys() - _told(chain)) for chain in due),
        out_of_order=sum(_falls(chain) for chain in chains.values()),
        forked_ids=_many(uids.values()),
        reused_ids=_many(events.values()),
        badly_signed=sum(not post.signed for post in posts),
        invented=sum(post.generation not in generations for post in posts),
    )


def repetitions(posts: Iterable[Post]) -> int:
    """Count the posts that a webhook had had before: what at-least-once costs."""
    told = [(post.webhook, post.uid) for post in posts]
    return len(told) - len(set(told))


def _told(chain: Iterable[Post]) -> set[str]:
    return {word for post in chain for word in (post.state, *post.skipped)}


def _falls(chain: Sequence[Post]) -> bool:
    ranks = [RANKS[post.state] for post in chain]
    return ranks != sorted(ranks)


def _many(sets: Iterable[Collection[object]]) -> int:
    return sum(len(one) > 1 for one in sets)
