"""kling: a task belongs to the path family of its creation; its key is a token."""

from dataclasses import replace

from bridge.core.ladder import State
from bridge.simulator.account import Account, Ids, digits
from bridge.simulator.api import Api, Creation, error_reply, no_such_path, single_reply
from bridge.simulator.callbacks import Hook
from bridge.simulator.creation import create_reply
from bridge.simulator.exchange import Call, Document, Reply, json_reply
from bridge.simulator.picture import Picture, milliseconds
from bridge.simulator.vendors.kling_token import token_or_key
from bridge.simulator.words import Words

_WORDS = Words(
    rungs={
        State.QUEUED: ["submitted"],
        State.DREAMING: ["processing"],
        State.COMPLETED: ["succeed"],
        State.FAILED: ["failed"],
    }
)
_FLAT = {"submitted": "queued", "processing": "in_progress", "succeed": "completed"}
# The business codes are recalled, not confirmed.
_CODES = {400: 1201, 401: 1002, 404: 1203, 429: 1302}
_MOST = 500
_DIGITS = digits(18)


def document(picture: Picture) -> Document:
    """Return a task in its envelope; or flat, as some relays have it."""
    if picture.switches.flat:
        return _flat(picture)
    return _wrapped(task(picture), picture.id)


def task(picture: Picture) -> Document:
    """Return a task as lists have it, too; its id is without the family."""
    shown = {
        "task_id": _bare(picture),
        "task_status": picture.word,
        "task_status_msg": picture.job.reason if picture.failed else "",
        "task_info": {"external_task_id": ""},
        "created_at": milliseconds(picture.job.created_at),
        "updated_at": milliseconds(picture.updated),
    }
    return {**shown, "task_result": _made(picture)} if picture.has_output else shown


def _made(picture: Picture) -> Document:
    if picture.id.startswith("images/"):
        return {"images": [{"index": 0, "url": picture.link("png")}]}
    video = {"id": f"{_bare(picture)}-1", "url": picture.link("mp4"), "duration": "5.1"}
    return {"videos": [video]}


def _flat(picture: Picture) -> Document:
    shown = {"task_id": _bare(picture), "status": _FLAT.get(picture.word, picture.word)}
    if picture.failed:
        return {**shown, "error": {"message": picture.job.reason}}
    return {**shown, "url": picture.link("mp4")} if picture.has_output else shown


def _bare(picture: Picture) -> str:
    return picture.id.rpartition("/")[2]


def _wrapped(data: object, request_id: str) -> Document:
    return {"code": 0, "message": "SUCCEED", "request_id": request_id, "data": data}


def error(status: int, message: str, call: Call, account: Account) -> Document:  # noqa: ARG001  (every vendor's signature)
    """Return the envelope with a business code."""
    code = _CODES.get(status, 5000)
    return {"code": code, "message": message, "request_id": account.new_id()}


def answer(call: Call, account: Account) -> Reply:
    """Answer a call at once. Videos are named FAMILY/TASK, images images/FAMILY/TASK."""
    match call.segments:
        case ("v1", "videos", family, *rest):
            pass
        case ("v1", "images", kind, *rest):
            family = f"images/{kind}"
        case _:
            return no_such_path(API, call, account)
    match call.method, rest:
        case "GET", [id]:
            return single_reply(API, f"{family}/{id}", call, account)
        case "GET", []:
            return _page(family, call, account)
        case "POST", []:
            return _creation(family, call, account)
        case _:
            return no_such_path(API, call, account)


def _page(family: str, call: Call, account: Account) -> Reply:
    page, size = call.number("pageNum", 1), call.number("pageSize", 30)
    if not page or size is None or not 1 <= size <= _MOST:
        return error_reply(API, 400, "Invalid pageNum or pageSize", call, account)
    jobs = [job for job in account.newest(call.at) if job.id.rpartition("/")[0] == family]
    pictures = account.pictures(jobs[(page - 1) * size : page * size], call.at)
    return json_reply(_wrapped([task(picture) for picture in pictures], account.new_id()))


def _creation(family: str, call: Call, account: Account) -> Reply:
    kind = "image" if family.startswith("images/") else "video"
    api = replace(API, ids=_ids(family))
    return create_reply(api, call, account, kind=kind, status=200)


def _ids(family: str) -> Ids:
    return lambda chance: f"{family}/{_DIGITS(chance)}"


API = Api(
    creation=Creation(
        path="/v1/videos/text2video", id="data.task_id", before="text2video/"
    ),
    words=_WORDS,
    document=document,
    error=error,
    answer=answer,
    door=token_or_key,
    hook=Hook(name="callback_url", document=task),
    ids=_ids("text2video"),
    link_life=30 * 86_400.0,
)
