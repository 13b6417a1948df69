"""The service: what the API needs of the daemon, which knows nothing of the API."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bridge.core.listing import ListedWatch, ListedWebhook
from bridge.core.order import Ordered, WatchOrder
from bridge.core.ports import Lists
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

    async def addressees(self, webhooks: Iterable[int]) -> Mapping[int, ListedWebhook]:
        """Return webhooks by their ids; those that there are."""
        ...

    async def reload(self) -> str | None:
        """Read the configuration again; return what is wrong with it, None: it is in force."""
        ...

    def jobs(self) -> Sequence[Job]:
        """Return what recurs."""
        ...

    def watching(self, source: str) -> int:
        """Return how many generations of a source are watched by this process."""
        ...
