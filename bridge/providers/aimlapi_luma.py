"""Luma as AI/ML API sells it: the one API that holds an answer until a state is reached."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from bridge.core.ladder import State
from bridge.core.looking import Abilities, Asking, Batch, Get, Hold, Listing, Look, Rejected
from bridge.core.reading.asking import bearer, refused
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.ids import address, unfit, whole
from bridge.core.reading.links import is_link
from bridge.core.reading.places import at, first
from bridge.core.reading.reading import read_many, read_one
from bridge.core.reading.wordform import Words

_ABILITIES = Abilities(rate=10.0, floor=timedelta(), hold=timedelta(seconds=30), batch=50)
_PATH = "/v2/generate/video/luma-ai/generation"
_IDS = quote("generation_ids[]", safe="")

_WORDS = Words.of(
    {
        State.QUEUED: ["queued"],
        State.DREAMING: ["dreaming"],
        State.COMPLETED: ["completed"],
        State.FAILED: ["failed"],
    }
)

# The object's shape is documented nowhere; each of these was seen by somebody, the
# likeliest first.
_VIDEO = first("assets.video", "video.url", "video_url", "data.videoUrl", that=is_link)
_image = at("assets.image")


def _is_word(value: object) -> bool:
    return _WORDS.read(value) is not None


def _outputs(document: Any) -> list[dict[str, Any]]:  # noqa: ANN401  (any document)
    return [
        {"type": "video", "url": _VIDEO(document)},
        {"type": "image", "url": _image(document)},
    ]


_DIALECT = Dialect(
    words=_WORDS,
    state=first("state", "data.state", "status", "data.status", that=_is_word),
    id=first("id", "generation_id", "data.id", "data.jobId"),
    outputs=_outputs,
    reason=first("failure_reason", "error.message", "data.failure_reason"),
    created_at=first("created_at", "data.created_at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Asks api.aimlapi.com, or its white label api.umamiai.xyz."""

    api_key: str = field(repr=False)
    base_url: str = "https://api.aimlapi.com"

    @property
    def abilities(self) -> Abilities:
        """What this API can do."""
        return _ABILITIES

    def ask(self, look: Look) -> Asking:
        """Ask about one generation, at once or with a hold, or about up to 50."""
        match look:
            case Get(id=one):
                return self._one(one)
            case Hold(id=one, until=until):
                return self._one(one, _waiting(until))
            case Batch(ids=ids):
                return self._many(ids)
            case Listing():
                return refused("this API has no list")

    def _one(self, one: str, waiting: str = "") -> Asking:
        url = address(one, base_url=self.base_url, template=_PATH + "?generation_id={id}")
        if isinstance(url, Rejected):
            return url
        if waiting:
            url = f"{url}{'&' if '?' in url else '?'}{waiting}"
        response = yield bearer(url, self.api_key)
        return read_one(response, one, _DIALECT, secret=self.api_key)

    def _many(self, ids: tuple[str, ...]) -> Asking:
        # An id that cannot be asked about stays unseen; asked alone, it is told why.
        query = "&".join(f"{_IDS}={whole(one)}" for one in ids if unfit(one) is None)
        if not query or len(ids) > 50:
            return Rejected(why="a batch has 1 to 50 ids")
        url = f"{self.base_url.rstrip('/')}{_PATH}s?{query}"
        response = yield bearer(url, self.api_key)
        return read_many(response, ids, _DIALECT, secret=self.api_key)


def _waiting(until: State) -> str:
    """Return the parameters that hold an answer.

    The vendor's pages call it `state` here and `status` there, and who sends the name that
    is not meant gets an answer at once without noticing: both are sent. Nobody may wait for
    `failed`; a hold for `completed` ends with it too.
    """
    word = min(until, State.COMPLETED).word
    return f"state={word}&status={word}"
