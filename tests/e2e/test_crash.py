"""Random SIGKILLs, audited from outside; and an audit that sees what it is there for."""

from collections.abc import Sequence
from dataclasses import fields, replace

import anyio
import pytest

from bench.crash.audit import Findings, Post, audit, repetitions
from bench.crash.killing import Plan, killed

HOOKS = ("a", "b")
WORDS = ("queued", "dreaming", "completed")


def log(generation: str) -> list[Post]:
    """Return what two webhooks are told of a generation when all goes well."""
    return [
        Post(webhook=hook, generation=generation, state=word, uid=f"{generation}-{word}")
        for word in WORDS
        for hook in HOOKS
    ]


GOOD = [*log("g1"), *log("g2")]


def found(posts: Sequence[Post]) -> list[str]:
    findings = audit(posts, generations=["g1", "g2"], webhooks=HOOKS)
    return [one.name for one in fields(Findings) if getattr(findings, one.name)]


def test_the_audit_finds_nothing_in_a_good_log() -> None:
    assert found(GOOD) == []
    assert audit(GOOD, generations=["g1", "g2"], webhooks=HOOKS).clean


def test_a_repetition_under_the_same_id_is_counted_and_breaks_no_promise() -> None:
    repeated = [*GOOD[:3], GOOD[2], *GOOD[3:]]
    assert found(repeated) == []
    assert repetitions(repeated) == 1


def test_a_rung_that_is_named_as_skipped_is_not_lost() -> None:
    jump = replace(GOOD[4], skipped=("queued", "dreaming"))
    assert (jump.state, jump.webhook) == ("completed", "a")
    rest = [post for post in GOOD if post.webhook == "b" or post.generation == "g2"]
    assert found([jump, *rest]) == []


@pytest.mark.parametrize(
    ("posts", "names"),
    [
        ([*GOOD[:4], *GOOD[5:]], ["lost_ends", "lost_rungs"]),
        ([*GOOD[:2], *GOOD[3:]], ["lost_rungs"]),
        ([*GOOD[:1], GOOD[2], GOOD[0], *GOOD[1:]], ["out_of_order"]),
        ([*GOOD, GOOD[2]], ["out_of_order"]),
        ([replace(GOOD[0], uid="other"), *GOOD[1:]], ["forked_ids"]),
        ([*GOOD, replace(GOOD[4], uid="g1-again")], ["forked_ids"]),
        ([replace(p, uid=p.generation) for p in GOOD], ["reused_ids"]),
        ([replace(GOOD[0], signed=False), *GOOD[1:]], ["badly_signed"]),
        ([*GOOD, *log("g3")], ["invented"]),
        ([], ["lost_ends", "lost_rungs"]),
    ],
)
def test_the_audit_sees_what_a_forged_log_hides(
    posts: Sequence[Post], names: list[str]
) -> None:
    assert found(posts) == names


@pytest.mark.timeout(120)
def test_forty_kills_at_random_lose_disorder_and_fork_nothing() -> None:
    report = anyio.run(killed, Plan(kills=40))
    assert report.clean, f"{report.line}\n{report.log}"
    assert report.accepted >= report.generations * len(HOOKS)


@pytest.mark.timeout(120)
def test_a_build_that_settles_before_it_posts_is_caught() -> None:
    report = anyio.run(killed, Plan(kills=10, settle=3, main="bench.crash.early:main"))
    assert report.findings.lost_ends
    assert not report.alone
