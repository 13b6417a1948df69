"""The documents of aimlapi-luma: a generation, a batch of them, an error."""

from collections.abc import Mapping, Sequence
from typing import Any, assert_never

from bridge.core.text.clocktext import rfc3339
from bridge.simulator.account import Account
from bridge.simulator.exchange import Call, Document
from bridge.simulator.picture import Picture
from bridge.simulator.switches import Container, LinkAt


def document(picture: Picture) -> Document:
    """Return a generation; each place of the link has the body it was seen in."""
    url = picture.link("mp4") if picture.has_output else None
    reason = picture.job.reason if picture.failed else None
    match picture.switches.link_at:
        case LinkAt.ASSETS_VIDEO:
            return _luma(picture, url, reason)
        case LinkAt.VIDEO_URL_OBJECT:
            return {**_short(picture, reason), "video": url and {"url": url}}
        case LinkAt.VIDEO_URL:
            return {**_short(picture, reason), "video_url": url}
        case LinkAt.DATA_VIDEO_URL:
            return _nested(picture, url, reason)


def _luma(picture: Picture, url: str | None, reason: str | None) -> Document:
    job = picture.job
    return {
        "id": job.id,
        "generation_type": job.kind,
        "state": picture.word,
        "failure_reason": reason,
        "created_at": rfc3339(job.created_at),
        "assets": url and {"video": url},
        "model": job.model or "ray-1-6",
    }


def _short(picture: Picture, reason: str | None) -> Document:
    return {"id": picture.job.id, "state": picture.word, "failure_reason": reason}


def _nested(picture: Picture, url: str | None, reason: str | None) -> Document:
    item = {
        "jobId": picture.job.id,
        "state": picture.word,
        "videoUrl": url,
        "failure_reason": reason,
    }
    return {"status": picture.word, "data": item}


def batch(documents: Mapping[str, Document], container: Container) -> object:
    """Return a batch answer around documents that are given by id."""
    items: Sequence[Any] = list(documents.values())
    match container:
        case Container.LIST:
            return items
        case Container.GENERATIONS:
            return {"generations": items}
        case Container.DATA:
            return {"data": items}
        case Container.KEYED:
            return dict(documents)
        case Container.NESTED:
            return {"data": {"result": {"total": len(items), "items": items}}}
        case never:
            assert_never(never)


def error(status: int, message: str, call: Call, account: Account) -> Document:
    """Return the error document that the vendor shows for every status."""
    return {
        "message": message,
        "path": call.path,
        "requestId": account.new_id(),
        "statusCode": status,
        "timestamp": rfc3339(account.clock.now()),
    }
