"""Luma's Dream Machine: one GET per generation, and pages of all of them."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bridge.core.ladder import State
from bridge.core.looking import Abilities, Asking, Listing, Look, Rejected
from bridge.core.reading.asking import ask_for_one, bearer
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.places import at
from bridge.core.reading.reading import read_page
from bridge.core.reading.wordform import Words

_ABILITIES = Abilities(
    rate=5.0, floor=timedelta(seconds=3), listing=True, promises_outputs=True
)
_PAGE = 100

_video, _image = at("assets.video"), at("assets.image")


def _outputs(document: Any) -> list[dict[str, Any]]:  # noqa: ANN401  (any document)
    # assets.progress_video shows up while it is dreaming and stays: it is no output.
    return [
        {"type": "video", "url": _video(document)},
        {"type": "image", "url": _image(document)},
    ]


_DIALECT = Dialect(
    words=Words.of(
        {
            State.QUEUED: ["queued"],
            State.DREAMING: ["dreaming"],
            State.COMPLETED: ["completed"],
            State.FAILED: ["failed"],
        }
    ),
    state=at("state"),
    outputs=_outputs,
    reason=at("failure_reason"),
    created_at=at("created_at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Asks api.lumalabs.ai."""

    api_key: str = field(repr=False)
    base_url: str = "https://api.lumalabs.ai/dream-machine/v1"

    @property
    def abilities(self) -> Abilities:
        """What this API can do."""
        return _ABILITIES

    def ask(self, look: Look) -> Asking:
        """Ask about one generation, or for the page of all that begins at an offset."""
        if isinstance(look, Listing):
            return self._page(look.cursor or "0")
        return ask_for_one(
            look,
            _DIALECT,
            base_url=self.base_url,
            template="/generations/{id}",
            key=self.api_key,
        )

    def _page(self, cursor: str) -> Asking:
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 10):
            return Rejected(why="a page's cursor is its offset, a number")
        offset = int(cursor)
        url = f"{self.base_url.rstrip('/')}/generations?limit={_PAGE}&offset={offset}"
        response = yield bearer(url, self.api_key)
        return read_page(
            response,
            _DIALECT,
            entries=at("generations"),
            following=lambda page, count: (
                str(offset + count) if at("has_more")(page) is True else None
            ),
            secret=self.api_key,
        )
