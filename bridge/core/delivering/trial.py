"""A trial: one attempt that somebody asked for, to see what a webhook makes of an example.

Nothing follows it: it is not tried again, is not kept, and changes nothing of its webhook. What
the verdict says of a delivery is therefore told in other words.
"""

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


_INSTEAD = (
    ("; it is kept and can be replayed", "; a delivery would be kept"),
    ("; it is kept: ", "; "),
    ("it is kept: ", ""),
    (", then `genbridge replay`", ", then try again"),
    ("; then `genbridge replay`", "; then try again"),
    ("; `genbridge replay` sends it all the same", ""),
    ("; the whole webhook pauses", "; deliveries would pause"),
    (
        "nothing needs to be done: genbridge waits as long as it was asked to",
        "try again later; deliveries wait by themselves as long as they are asked to",
    ),
    ("; genbridge waits and goes on", "; deliveries wait and go on by themselves"),
    ("; it does not count against the receiver", ""),
    ("it does not count against the receiver; ", ""),
    (
        "it is tried again by itself",
        "try again later; deliveries are tried again by themselves",
    ),
)
"""What is said of a delivery, and of a trial instead."""


def of_a_trial(sentence: str) -> str:
    """Return a sentence or an advice about a delivery as it is true of a trial."""
    for delivery, trial in _INSTEAD:
        sentence = sentence.replace(delivery, trial)
    return sentence
