"""Callbacks of the simulated vendors: what they post, where to, and when."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from bridge.core.ladder import State
from bridge.simulator.account import Account
from bridge.simulator.exchange import Call, Document, read_object
from bridge.simulator.outbox import Callback, Headers
from bridge.simulator.picture import Job, Picture
from bridge.simulator.switches import Callbacks
from bridge.simulator.timeline import Script, Timeline
from bridge.simulator.words import Words

Shown: TypeAlias = Callable[[Picture], Document]

# A moment that is reckoned from a start and a span may be rounded to just before the state.
_INSTANT = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """How a vendor does it: the field of the creation that names the URL, and what is posted.

    `document` None: the document of a look. `sign` makes headers of the posted body and of the
    body of the creation. `only_end`: the states on the way are not posted.
    """

    name: str
    document: Shown | None = None
    sign: Callable[[bytes, Document], Headers] | None = None
    only_end: bool = False


def callbacks(
    hook: Hook | None, document: Shown, job: Job, call: Call, account: Account
) -> Sequence[Callback]:
    """Return what is to be posted about a job that this call creates."""
    wish = read_object(call.body) or {}
    url = hook and (wish.get(hook.name) or call.value(hook.name))
    if hook is None or not isinstance(url, str):
        return ()
    document = hook.document or document

    def post(told: Job, at: float) -> Callback:
        def make() -> tuple[bytes, Headers]:
            picture = account.picture(told, at + _INSTANT, stale=False)
            body = json.dumps(document(picture), ensure_ascii=False).encode()
            signed = hook.sign(body, wish) if hook.sign else {}
            return body, {"content-type": "application/json", **signed}

        return Callback(at=at, url=url, make=make)

    least = State.COMPLETED if hook.only_end else State.QUEUED
    steps = [step for step in job.timeline.seen() if step.rank >= least]
    truth = [post(job, job.started + step.starts) for step in steps]
    match account.switches.callbacks:
        case Callbacks.OFF:
            return ()
        case Callbacks.TRUTHFUL:
            return truth
        case Callbacks.FORGED:
            return [post(_forged(job, account.words), job.started)]
        case Callbacks.LOST:
            return truth[:-1]
        case Callbacks.DOUBLED:
            return [one for one in truth for _ in range(2)]


def _forged(job: Job, words: Words) -> Job:
    """Return the job as a liar tells it: at its end at once, and at the other one."""
    completes = job.timeline.steps[-1].rank == State.COMPLETED
    end: Script = [("failed" if completes else "completed", None)]
    return replace(job, timeline=Timeline.of(end, words))
