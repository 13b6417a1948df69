"""The front: what the API may ask of the daemon, and how it is done."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bridge.core.delivering.delivery import Condition
from bridge.core.delivering.standing import Standing
from bridge.core.delivering.trial import Trial
from bridge.core.hints import named
from bridge.core.listing import ListedWatch, ListedWebhook
from bridge.core.message import Message
from bridge.core.order import Ordered, WatchOrder
from bridge.core.pacing.report import InVain, SourceReport
from bridge.core.ports import DeliveryLists, Form, Lists
from bridge.core.replay import Preview, Replay, ReplayFilter
from bridge.core.settings import Settings, Webhook
from bridge.core.watch import Generation
from bridge.daemon import Daemon, callers_webhook
from bridge.engine.calendar import Job


class Front:
    """A daemon as the API sees it. Whatever touches the store raises StoreError."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    @property
    def settings(self) -> Settings:
        """The settings that are in force."""
        return self._daemon.settings

    @property
    def phase(self) -> str | None:
        """Why nothing can be ordered now; None: it can."""
        return self._daemon.phase

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC."""
        return self._daemon.clock.now()

    def readiness(self) -> Sequence[str]:
        """Return the reasons why no work is possible now."""
        return self._daemon.readiness()

    async def reload(self) -> str | None:
        """Read the configuration again; return what is wrong with it, None: it is in force."""
        return await self._daemon.reload()

    def jobs(self) -> Sequence[Job]:
        """Return what recurs."""
        calendar = self._daemon.calendar
        return () if calendar is None else calendar.jobs()

    # ---------------------------------------------------------------- watches

    @property
    def lists(self) -> Lists:
        """What is kept, for people to read."""
        return self._daemon.store

    async def order(self, orders: Sequence[WatchOrder]) -> Sequence[Ordered]:
        """Begin or change watches; once this returns they are on the disk."""
        return await self._daemon.desk.order(orders, self._daemon.ids)

    async def call_off(self, generation: Generation) -> ListedWatch | None:
        """End a watch; None: there never was one."""
        return await self._daemon.desk.call_off(generation)

    async def addressees(self, webhooks: Iterable[int]) -> Mapping[int, ListedWebhook]:
        """Return webhooks by their ids; those that there are."""
        wanted, callbacks = set(webhooks), self._daemon.callbacks
        await callbacks.meet(wanted)
        found = {id_: callbacks.known(id_) for id_ in wanted}
        return {id_: one for id_, one in found.items() if one is not None}

    def in_vain(self, generation: Generation) -> InVain | None:
        """Return how the last looks at a generation failed; None: they did not, or not here."""
        return self._daemon.supervisor.in_vain(generation)

    # ---------------------------------------------------------------- sources

    def reports(self) -> Mapping[str, SourceReport]:
        """Return how each source stands now, by its name, as this process sees it."""
        return self._daemon.supervisor.reports()

    def hint(self, source: str, body: bytes) -> None:
        """Look at what a provider's own callback is about; nothing of it is believed."""
        known = self.settings.sources.get(source)
        if known is not None:
            self._daemon.hinter.heard(known, named(body))

    # ---------------------------------------------------------------- deliveries

    @property
    def deliveries(self) -> DeliveryLists:
        """What is kept of deliveries, for people to read."""
        return self._daemon.store

    async def retry(self, delivery: int) -> bool:
        """Make a delivery due now, whatever it was; return whether there is such a delivery."""
        webhook = await self._daemon.store.retry(delivery)
        if webhook is None:
            return False
        await self._daemon.wake([webhook])
        return True

    async def preview_replay(self, wanted: ReplayFilter) -> Preview:
        """Return what a replay would do."""
        return await self._daemon.store.preview_replay(wanted)

    async def replay(self, wanted: ReplayFilter) -> Replay:
        """Begin a replay; once this returns it is on the disk, and outlasts a crash."""
        replay = await self._daemon.store.begin_replay(wanted)
        self._daemon.replayer.ring()
        return replay

    async def replays(self, *, limit: int) -> Sequence[Replay]:
        """Return the latest replays, newest first."""
        return await self._daemon.store.replays(limit=limit)

    # ---------------------------------------------------------------- webhooks

    async def pause(self, webhook: int, why: str) -> None:
        """Send nothing more to a webhook until it is resumed; what is under way ends.

        Raises LookupError where there is no such webhook.
        """
        state = (await self._listed(webhook)).state
        paused = replace(state, condition=Condition.PAUSED, why=why)
        await self._daemon.store.set_webhook(paused)
        await self._stands(webhook)

    async def resume(self, webhook: int, *, since: datetime | None, discard: bool) -> int:
        """Send to a webhook again that was paused or switched off; return how many wait.

        What waits and is older than `since`, or with `discard` all of it, is cancelled.
        Raises LookupError where there is no such webhook.
        """
        await self._listed(webhook)
        waiting = await self._daemon.store.resume_webhook(
            webhook, since=since, discard=discard
        )
        await self._stands(webhook)
        return waiting

    async def _stands(self, webhook: int) -> None:
        """Send to a webhook as it stands on the disk now, if anything is sent to it at all.

        Not while a reload may still work with what it has read before.
        """
        async with self._daemon.standing:
            await self._daemon.callbacks.meet([webhook])
            self._daemon.sender.set_standing((await self._listed(webhook)).state)

    async def _listed(self, webhook: int) -> ListedWebhook:
        found = await self._daemon.store.webhooks_by_id([webhook])
        if not found:
            raise LookupError(webhook)
        return found[0]

    def _webhook(self, listed: ListedWebhook) -> Webhook | None:
        """Return how a webhook is sent to; None: it is not configured any more."""
        if listed.callback is not None:
            return callers_webhook(listed.callback, listed.state)
        return self.settings.webhooks.get(listed.state.key.removeprefix("name:"))

    async def test(self, webhook: int, *, message: Message, form: Form) -> Trial:
        """Make one attempt now, of whatever condition the webhook is.

        The rate counts it; it is not stored, and changes nothing of how the webhook stands.
        Raises LookupError where there is no such webhook, or it is not configured any more.
        """
        settings = self._webhook(await self._listed(webhook))
        if settings is None:
            raise LookupError(webhook)
        return await self._daemon.trials.make(webhook, settings, message=message, form=form)

    def standing(self, webhook: int) -> Standing | None:
        """Return how a webhook stands in this process; None: nothing is sent to it from here."""
        return self._daemon.sender.standing(webhook)
