"""The crew: pollers, sender and callers' webhooks, as membership and registrations see them."""

from collections.abc import Iterable, Mapping, Sequence

from bridge.core.delivering.delivery import WebhookState
from bridge.core.sharing.share import Spare
from bridge.core.watch import Generation, Watch
from bridge.engine.callbacks import Callbacks
from bridge.engine.intake import Intake
from bridge.engine.sender import Sender
from bridge.engine.supervisor import Supervisor


class Crew:
    """Hands what begins, changes and ends to whom it concerns."""

    def __init__(
        self,
        *,
        intake: Intake,
        supervisor: Supervisor,
        sender: Sender,
        callbacks: Callbacks,
    ) -> None:
        self._intake = intake
        self._supervisor = supervisor
        self._sender = sender
        self._callbacks = callbacks

    async def begin(self, watches: Sequence[Watch]) -> None:
        """Watch these from now on; the lanes of callers' webhooks open before."""
        await self._intake.begin(watches)

    def drop(self, generations: Iterable[Generation]) -> None:
        """Watch these no more."""
        self._intake.drop(generations)

    async def wake(self, webhooks: Iterable[int]) -> None:
        """Look for deliveries of these webhooks now."""
        woken = set(webhooks)
        await self._callbacks.meet(woken)
        self._sender.woken(woken)

    def heed(self, states: Mapping[int, WebhookState], living: int) -> None:
        """Work under these states of webhooks, as one of so many replicas."""
        self._sender.heed(states, living)
        self._supervisor.share(living)

    def spare(self, most: int) -> list[Spare]:
        """Stop watching up to so many, those whose next look is farthest away."""
        return self._supervisor.spare(most)

    def abandon(self) -> None:
        """Forget everything."""
        self._intake.forget()
        self._supervisor.abandon()
        self._sender.abandon()

    def look(self) -> None:
        """Look for deliveries that another replica cannot take."""
        self._sender.look()

    def nudge(self) -> None:
        """Let every loop turn over once."""
        self._sender.nudge()
        for poller in self._supervisor.pollers():
            poller.nudge()
