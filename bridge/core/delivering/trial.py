"""A trial: one attempt that somebody asked for, to see what a webhook makes of an example."""

from dataclasses import dataclass, field

from bridge.core.delivering.delivery import Result
from bridge.core.network.exchange import Headers, Peer, Phase, Timings


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What was sent and what came of it. It is counted by the rate and stored nowhere.

    `url` is `scheme://host/…`; in `sent` and `heard` the secret values are masked. With an answer
    `status` is there, without one `phase` says how far it came; neither: nothing was sent, for
    there was no body. `answer` is at most 64 KiB, `cut`: there was more. `form` is the form that
    was sent last (`full`, `compact`, `text`). `reason` and `sentence` are the verdict's.
    """

    method: str
    url: str
    sent: Headers = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    form: str = "full"
    status: int | None = None
    heard: Headers = field(default=(), repr=False)
    answer: bytes = field(default=b"", repr=False)
    cut: bool = False
    phase: Phase | None = None
    result: Result
    reason: str
    sentence: str
    timings: Timings = field(default_factory=Timings)
    peer: Peer | None = None
