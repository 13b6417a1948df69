"""The service: what the API needs of the daemon, which knows nothing of the API."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bridge.core.delivering.standing import Standing
from bridge.core.delivering.trial import Trial
from bridge.core.listing import ListedWatch, ListedWebhook
from bridge.core.message import Message
from bridge.core.order import Ordered, WatchOrder
from bridge.core.pacing.report import InVain, SourceReport
from bridge.core.ports import DeliveryLists, Form, Lists
from bridge.core.replay import Preview, Replay, ReplayFilter
from bridge.core.settings import Settings
from bridge.core.watch import Generation


class Job(Protocol):
    """A recurring job of the calendar."""

    @property
    def name(self) -> str:
        """What it does, in a word."""
        ...

    @property
    def every(self) -> timedelta:
        """How often."""
        ...

    @property
    def next_run(self) -> datetime | None:
        """When it runs next."""
        ...

    @property
    def last_run(self) -> datetime | None:
        """When it ran last."""
        ...

    @property
    def last_result(self) -> str | None:
        """How that went: `done`, or why not."""
        ...


class Service(Protocol):
    """The daemon, as the API sees it. Whatever touches the store raises StoreError."""

    @property
    def settings(self) -> Settings:
        """The settings that are in force."""
        ...

    @property
    def lists(self) -> Lists:
        """What is kept, for people to read."""
        ...

    @property
    def phase(self) -> str | None:
        """Why nothing can be ordered now (`starting`, `stopping`); None: it can."""
        ...

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC."""
        ...

    def readiness(self) -> Sequence[str]:
        """Return the reasons why no work is possible now."""
        ...

    async def order(self, orders: Sequence[WatchOrder]) -> Sequence[Ordered]:
        """Begin or change watches, at most 1,000; once this returns they are on the disk.

        Raises LookupError where the configuration no longer has a webhook that they name.
        """
        ...

    async def call_off(self, generation: Generation) -> ListedWatch | None:
        """End a watch; None: there never was one."""
        ...

    def in_vain(self, generation: Generation) -> InVain | None:
        """Return how the last looks at a generation failed; None: they did not, or not here."""
        ...

    async def addressees(self, webhooks: Iterable[int]) -> Mapping[int, ListedWebhook]:
        """Return webhooks by their ids; those that there are."""
        ...

    async def reload(self) -> str | None:
        """Read the configuration again; return what is wrong with it, None: it is in force."""
        ...

    def jobs(self) -> Sequence[Job]:
        """Return what recurs."""
        ...

    def reports(self) -> Mapping[str, SourceReport]:
        """Return how each source stands now, by its name, as this process sees it."""
        ...

    def hint(self, source: str, body: bytes) -> None:
        """Look at what a provider's own callback is about; nothing of it is believed."""
        ...

    # ------------------------------------------------------------ deliveries and webhooks

    @property
    def deliveries(self) -> DeliveryLists:
        """What is kept of deliveries, for people to read."""
        ...

    async def retry(self, delivery: int) -> bool:
        """Make a delivery due now, whatever it was; return whether there is such a delivery."""
        ...

    async def preview_replay(self, wanted: ReplayFilter) -> Preview:
        """Return what a replay would do."""
        ...

    async def replay(self, wanted: ReplayFilter) -> Replay:
        """Begin a replay; once this returns it is on the disk, and outlasts a crash."""
        ...

    async def replays(self, *, limit: int) -> Sequence[Replay]:
        """Return the latest replays, newest first."""
        ...

    async def pause(self, webhook: int, why: str) -> None:
        """Send nothing more to a webhook until it is resumed; what is under way ends.

        Raises LookupError where there is no such webhook.
        """
        ...

    async def resume(self, webhook: int, *, since: datetime | None, discard: bool) -> int:
        """Send to a webhook again that was paused or switched off; return how many wait.

        What waits and is older than `since`, or with `discard` all of it, is cancelled.
        Raises LookupError where there is no such webhook.
        """
        ...

    async def test(self, webhook: int, *, message: Message, form: Form) -> Trial:
        """Make one attempt now, of whatever condition the webhook is.

        The rate counts it; it is not stored, and changes nothing of how the webhook stands.
        Raises LookupError where there is no such webhook, or it is not configured any more.
        """
        ...

    def standing(self, webhook: int) -> Standing | None:
        """Return how a webhook stands in this process; None: nothing is sent to it from here."""
        ...
