"""Learning: what a store in memory keeps of what looks have taught, as `pacing` does in tables."""

from collections.abc import Sequence
from dataclasses import replace

from bridge.core.discovery import Discovery
from bridge.core.pacing.heirloom import Heirloom, summed
from bridge.core.pacing.saved import SavedTable
from bridge.store.discovering import anchor_of, anchor_text
from bridge.store.disk import Disk
from bridge.store.listing import instant
from bridge.store.texts import plain


class Learning:
    """The part of the store in memory that outlives a restart of what was learnt."""

    disk: Disk

    async def _begin(self) -> int:
        """Let others run; return the time."""
        raise NotImplementedError

    async def pace(self, source: str) -> Heirloom:
        """Return the learned tables of a source."""
        await self._begin()
        tables = self.disk.pace.get(source, {}).values()
        return Heirloom(own=summed(one for _, one in tables))

    async def save_pace(self, source: str, tables: Sequence[SavedTable]) -> None:
        """Set what was learnt of some models' states."""
        now = await self._begin()
        known = self.disk.pace.setdefault(source, {})
        for one in tables:
            model, state = plain(one.model) or "", plain(one.state) or ""
            kept = replace(one, model=model, state=state, faded=1.0)
            known[model, state] = (now, kept)

    async def discovery(self, source: str) -> Discovery | None:
        """Return how far the rounds through a source's list have come."""
        await self._begin()
        at, found = self.disk.discoveries.get(source, (0, None))
        return None if found is None else replace(found, updated_at=instant(at))

    async def set_discovery(self, discovery: Discovery) -> None:
        """Set how far they have come."""
        now = await self._begin()
        kept = replace(
            discovery,
            anchor=anchor_of(anchor_text(discovery.anchor)),
        )
        self.disk.discoveries[discovery.source] = (now, kept)
