"""Kling: an id is FAMILY/TASK, for a task is found only below the path of its creation.

A key `ACCESS:SECRET` is made into a token that lives for half an hour; a key without a colon is
one already (relays). Lists are kept per family and have bare tasks: the family is put to them,
and a page of ours is the same page of all of them.
The business codes are recalled, not confirmed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from bridge.core.ladder import State
from bridge.core.looking import Asking, Listing, Look, Observation, Rejected, Seen
from bridge.core.misfit import Misfit, refuse, unfit
from bridge.core.reading.api import Api, Call, Paging
from bridge.core.reading.conversation import converse
from bridge.core.reading.described import Described
from bridge.core.reading.dialect import Complaints, Dialect
from bridge.core.reading.ids import is_url, why_unasked
from bridge.core.reading.minting import hs256
from bridge.core.reading.places import as_text, at, first, objects
from bridge.core.reading.wordform import Words

_PAGE = 500
"""Tasks on a page, the most that a list gives."""

_LIVES = 1800
_SKEW = 5
"""Seconds of a token: how long it lives, and how far our clock may be ahead."""

_FAMILY = re.compile(r"[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9-]*)*", re.ASCII)

_NO_FAMILY = frozenset({"", "images"})
_FAMILIAR = (
    "Kling's ids are FAMILY/TASK, such as text2video/866168216002236456 "
    "or images/generations/866168216002236457"
)

_code = at("code")
_RESULT = first("data.task_result", "task_result")
_videos, _images, _url = at("videos"), at("images"), at("url")


def _outputs(document: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401  (any document)
    result = _RESULT(document)
    for video in objects(_videos(result)):
        yield {"type": "video", "url": _url(video)}
    for image in objects(_images(result)):
        yield {"type": "image", "url": _url(image)}
    # Some relays answer on the same path with an object that has `url` at its top.
    yield {"type": "video", "url": _url(document)}


_DIALECT = Dialect(
    words=Words.of(
        {
            State.QUEUED: ["submitted", "queued"],
            State.DREAMING: ["processing", "in_progress"],
            # `succeed`, not `succeeded`; `completed` is what relays make of it.
            State.COMPLETED: ["succeed", "completed"],
            State.FAILED: ["failed"],
        }
    ),
    state=first("data.task_status", "task_status", "status"),
    id=first("data.task_id", "task_id"),
    outputs=lambda document: tuple(_outputs(document)),
    reason=first("data.task_status_msg", "task_status_msg", "error.message"),
    created_at=first("data.created_at", "created_at"),
    life=timedelta(days=30),
    complaints=Complaints(
        ok=lambda document: as_text(_code(document)) == "0",
        code=_code,
        busy=frozenset({"1302", "1303"}),
        refused=frozenset({"1000", "1001", "1002", "1003", "1004"}),
        missing=frozenset({"1203", "task_not_exist"}),
    ),
)


def _strange(families: Sequence[str]) -> Iterator[Misfit]:
    for number, family in enumerate(families):
        if not _FAMILY.fullmatch(family):
            said = "families are such as text2video or images/generations"
            yield Misfit(said, path=(number,))


def _place(family: str) -> str:
    """Return where a family, or an id in it, lies."""
    return "/v1/{+id}" if family.startswith("images/") else "/v1/videos/{+id}"


def _token(key: str, now: datetime) -> str:
    access, colon, secret = key.partition(":")
    if not colon:
        return key
    at_ = int(now.timestamp())
    return hs256({"iss": access, "exp": at_ + _LIVES, "nbf": at_ - _SKEW}, secret)


def _age(seen: Observation) -> float:
    """Return what puts the newest first."""
    return 0.0 if seen.created_at is None else -seen.created_at.timestamp()


def _listing(family: str) -> Paging:
    query = (("pageNum", "{page}"), ("pageSize", str(_PAGE)))
    url = _place(family).replace("{+id}", family)
    return Paging(call=Call(url=url, query=query), size=_PAGE)


_API = Api(
    dialect=_DIALECT,
    get=Call(url=_place),
    mint=_token,
    rate=5.0,
    floor=timedelta(seconds=5),
    promises_outputs=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Described):
    """Asks api.klingai.com; `families` are the paths whose lists are read, `[]`: none."""

    base_url: str = "https://api.klingai.com"
    families: tuple[str, ...] = field(
        default=("text2video", "image2video"), metadata={"check": _strange}
    )

    def __post_init__(self) -> None:
        """Refuse what is no path of a family."""
        refuse(unfit(self))

    @classmethod
    def unlisted(cls, written: Mapping[str, Any]) -> str | None:
        """Return that no family is named, where none is."""
        if written.get("families") != []:
            return None
        return "`families` is empty: name those whose lists are read, such as text2video"

    @property
    def api(self) -> Api:
        """The API that is asked."""
        return self._of(self.families[0]) if self.families else _API

    def fits(self, one: str) -> str | None:
        """Return why an id can never be asked about: also one that names no family."""
        why = why_unasked(one, base_url=self.base_url, template=_place(one))
        if why is not None or is_url(one):
            return why
        return _FAMILIAR if one.rpartition("/")[0] in _NO_FAMILY else None

    def _of(self, family: str) -> Api:
        return replace(_API, listing=_listing(family))

    def ask(self, look: Look) -> Asking:
        """Yield the requests of a look, be sent the answers, return the reading."""
        if isinstance(look, Listing) and self.families:
            return self._page(look)
        return converse(self.api, look, base_url=self.base_url, key=self.api_key)

    def _page(self, look: Listing) -> Asking:
        """Read the same page of every family, so that together they are one list.

        A cursor is a page and the families that go on there.
        """
        page, *going = (look.cursor or " ".join(("1", *self.families))).split(" ")
        if not going or not set(going) <= set(self.families):
            return Rejected(why="a cursor comes from the page before")
        told: list[Observation] = []
        onward: list[str] = []
        following = ""
        for family in going:
            reading = yield from self._of_family(family, replace(look, cursor=page))
            if not isinstance(reading, Seen):
                return reading
            told += (replace(o, id=f"{family}/{o.id}") for o in reading.observations)
            if reading.next is not None:
                following = reading.next
                onward.append(family)
        told.sort(key=_age)
        return Seen(
            observations=tuple(told),
            next=" ".join((following, *onward)) if onward else None,
        )

    def _of_family(self, family: str, look: Listing) -> Asking:
        return converse(self._of(family), look, base_url=self.base_url, key=self.api_key)
