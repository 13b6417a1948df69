"""The critic: whether the demo has shown what genbridge promises."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from bridge.cli.stage.callback import Callback
from bridge.cli.stage.play import ROLES, SEATS


class Critic:
    """Watches the callbacks; says when all have come, and what was wrong with them."""

    def __init__(self) -> None:
        self.seen: list[Callback] = []

    def see(self, callback: Callback) -> None:
        """Take a callback into account."""
        self.seen.append(callback)

    @property
    def accepted(self) -> list[Callback]:
        """The callbacks that count as delivered, in order."""
        return [callback for callback in self.seen if callback.accepted]

    @property
    def complete(self) -> bool:
        """Whether every webhook was told the end of every generation."""
        return not self.missing()

    def missing(self) -> Sequence[str]:
        """Return what is still to come, as sentences."""
        ends = {
            seat.name: len(
                {c.id for c in self.accepted if c.terminal and c.webhook == seat.name}
            )
            for seat in SEATS
        }
        return [
            f"the webhook {name} was told the end of {count} of {len(ROLES)} generations"
            for name, count in ends.items()
            if count < len(ROLES)
        ]

    def faults(self) -> Sequence[str]:
        """Return what should not have been, as sentences."""
        return [
            *self._unverified(),
            *self._repeated(),
            *self._disordered(),
            *self._forgone(),
        ]

    def verdict(self, seconds: float) -> str:
        """Return the line that ends a good demo."""
        return (
            f"{len(ROLES)} generations, {len(self.accepted)} callbacks, all signatures verified, "
            f"a 503 and a 429 overcome, in {seconds:.1f} s"
        )

    def _unverified(self) -> Iterable[str]:
        for callback in self.seen:
            if not callback.verified:
                yield f"a callback of {callback.webhook} has no good signature ({callback.id})"

    def _repeated(self) -> Iterable[str]:
        told = [(callback.webhook, callback.id) for callback in self.accepted]
        for webhook, id_ in sorted({one for one in told if told.count(one) > 1}):
            yield f"{webhook} was told twice of {id_}"

    def _disordered(self) -> Iterable[str]:
        told = defaultdict(list)
        for callback in self.accepted:
            if callback.sequence is not None:
                told[callback.webhook, callback.subject].append(callback.sequence)
        for (webhook, subject), sequence in told.items():
            if sequence != sorted(sequence):
                yield f"{webhook} was told of {subject} out of order: {sequence}"

    def _forgone(self) -> Iterable[str]:
        for status in sorted(a.status for seat in SEATS for a in seat.answers):
            refused = [callback for callback in self.seen if callback.status == status]
            delivered = {(callback.webhook, callback.id) for callback in self.accepted}
            if not refused:
                yield f"no callback was answered {status}, so nothing had to be overcome"
            for callback in refused:
                if (callback.webhook, callback.id) not in delivered:
                    yield f"{callback.id} was answered {status} and never delivered"
