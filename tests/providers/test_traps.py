"""The traps of the APIs, each a row: what is answered, and what it means."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from bridge.core.looking import (
    Batch,
    Busy,
    Get,
    Look,
    Missing,
    Observation,
    Reading,
    Refused,
    Rejected,
    Seen,
    Trouble,
)
from bridge.core.network.exchange import Answer, Response
from bridge.core.text.clocktext import rfc3339
from tests.providers.talking import answer, provider, talk

LINK = "https://cdn.example.net/v.mp4"
SONG = "https://cdn.example.net/s.mp3"
IMAGE = "https://cdn.example.net/i.png"
FILE = b"\x00\x00\x00\x18ftypmp42"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trap:
    sentence: str
    provider: str
    answers: tuple[Answer, ...]
    told: dict[str, Any]
    look: Look

    def __str__(self) -> str:
        return f"{self.provider}: {self.sentence}"


def trap(sentence: str, of: str, *answered: Any, **told: Any) -> Trap:
    """A trap of a single look; what is no answer yet is the document of a 200."""
    answers = (one if isinstance(one, Response) else answer(one) for one in answered)
    return Trap(
        sentence=sentence,
        provider=of,
        answers=tuple(answers),
        told=told,
        look=Get(id="g-1"),
    )


def batch_trap(sentence: str, of: str, document: Any, **told: Any) -> Trap:
    return Trap(
        sentence=sentence, provider=of, answers=(answer(document),), told=told,
        look=Batch(ids=("g-1", "7")),
    )  # fmt: skip


def seen(reading: Reading) -> Observation:
    assert isinstance(reading, Seen), reading
    return reading.observations[0]


def _word(one: Observation | None) -> str | None:
    return None if one is None or one.state is None else one.state.word


def _seconds(wait: timedelta | None) -> float | None:
    return None if wait is None else wait.total_seconds()


OF_READINGS: dict[str, Callable[[Any], Any]] = {
    "kind": type,
    "malformed": lambda reading: reading.malformed,
    "after": lambda reading: _seconds(reading.after),
    "again": lambda reading: _seconds(reading.again),
    "known": lambda reading: _word(reading.seen),
    "states": lambda reading: {one.id: _word(one) for one in reading.observations},
    "unseen": lambda reading: list(reading.unseen),
}
OF_OBSERVATIONS: dict[str, Callable[[Observation], Any]] = {
    "state": _word,
    "native_state": lambda one: one.native_state,
    "links": lambda one: [(output.type, output.url) for output in one.outputs],
    "keyed": lambda one: [output.needs_key for output in one.outputs],
    "ends": lambda one: [rfc3339(output.expires_at) for output in one.outputs],
    "failure": lambda one: one.failure and (one.failure.code, one.failure.reason),
    "created": lambda one: rfc3339(one.created_at),
    "progress": lambda one: one.progress,
    "model": lambda one: one.model,
    "raw": lambda one: one.raw,
}


def told(reading: Reading, key: str) -> Any:
    """What a reading says under one of the names that the rows use."""
    find = OF_READINGS.get(key)
    return find(reading) if find else OF_OBSERVATIONS[key](seen(reading))


def relay(status: str, **more: Any) -> dict[str, Any]:
    task = {"task_id": "g-1", "status": status, "fail_reason": "", "data": None, **more}
    return {"code": "success", "message": "", "data": task}


def clip(status: str, **links: str) -> dict[str, Any]:
    return {"id": "c", "status": status, "audio_url": "", "video_url": "", **links}


def kling(code: object, **data: Any) -> dict[str, Any]:
    return {"code": code, "message": "m", "data": data or None}


def minimax(status: str | None, code: int, **more: Any) -> dict[str, Any]:
    said = {} if status is None else {"status": status}
    return {**said, **more, "base_resp": {"status_code": code, "status_msg": "why"}}


def operation(**more: Any) -> dict[str, Any]:
    return {"name": "models/veo/operations/g-1", **more}


def samples(*links: str, **more: Any) -> dict[str, Any]:
    made = [{"video": {"uri": link}} for link in links]
    return {"generateVideoResponse": {"generatedSamples": made, **more}}


def jwt_until(end: int) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": end}).encode()).decode()
    return f"{LINK}?_jwt=h.{claims.rstrip('=')}.s"


WORDS = [
    trap("words are compared without case", "kling", kling(0, task_status="SUCCEED"),
         state="completed", native_state="SUCCEED"),
    trap("`succeeded` is not Kling's word, and unknown words end nothing", "kling",
         kling(0, task_status="succeeded"), state=None, native_state="succeeded"),
    trap("a space, `-` and `_` are alike", "flux", {"status": " content-moderated"},
         state="failed", failure=("content_moderated", None)),
    trap("cancelled is canceled", "runway", {"status": "Canceled"},
         state="failed", failure=("canceled", None)),
    trap("the other way round, too", "replicate", {"status": "cancelled"},
         state="failed", failure=("cancelled", None)),
    trap("`aborted` ends a prediction", "replicate", {"status": "aborted"}, state="failed"),
    trap("`UNKNOWN` is a word that nobody knows", "relay-suno", relay("UNKNOWN"),
         state=None, native_state="UNKNOWN", failure=None),
    trap("a number is a word without a rung", "relay-runway", {"task": {"status": 3}},
         state=None, native_state="3"),
    trap("an object is no word", "pika", {"status": {"is": "finished"}}, kind=Trouble),
    trap("null is no word", "heygen", {"code": 100, "data": {"status": None}}, kind=Trouble),
    trap("no text at all is Midjourney's word for waiting", "relay-midjourney",
         {"status": ""}, state="queued", native_state=""),
    trap("MODAL waits for a person", "relay-midjourney", {"status": "MODAL"},
         state="dreaming"),
    trap("what was cancelled has failed", "relay-midjourney", {"status": "CANCEL"},
         state="failed", failure=("cancel", None)),
    trap("the words of audio are known, too", "aimlapi-video", {"status": "waiting"},
         state="queued"),
    trap("a batch that is being cancelled is not over", "openai-batch",
         {"status": "cancelling"}, state="dreaming"),
    trap("one page says `complete`, the other `completed`", "aimlapi-suno",
         {"status": "completed", "audio_url": SONG}, links=[("audio", SONG)]),
    trap("a task that expired has failed", "minimax-v2", {"task": {"status": "expired"}},
         state="failed", failure=("expired", None)),
]  # fmt: skip

HIDDEN_SUCCESS = [
    trap("the status counts, whatever `error` says", "aimlapi-video",
         {"status": "completed", "video": {"url": LINK}, "error": {"name": "E"}},
         state="completed", failure=None, links=[("video", LINK)]),
    trap("a queued generation may have its failure filled in", "luma-agents",
         {"state": "queued", "failure_code": "content_moderated", "output": [{"url": LINK}]},
         state="queued", failure=None, links=[]),
    trap("the link of a result in `fail_reason` is no failure", "relay-udio",
         relay("SUCCESS", fail_reason=SONG), state="completed", failure=None,
         links=[("audio", SONG)]),
    trap("the link in `fail_reason` is not told beside others", "relay-suno",
         relay("SUCCESS", data=[clip("complete", audio_url=SONG)], fail_reason=LINK),
         links=[("audio", SONG)]),
    trap("the failed clip of a success has no link", "relay-suno",
         relay("SUCCESS", data=[
             clip("complete", audio_url=SONG),
             clip("error", audio_url="https://cdn.example.net/None.mp3"),
             clip("Failed", video_url="https://cdn.example.net/None.mp4"), None, "clip",
         ]), state="completed", links=[("audio", SONG)]),
    trap("with a task to read, the code of the envelope does not count", "kling",
         kling(1302, task_status="processing"), state="dreaming"),
    trap("the same, where the code is a word", "relay-udio",
         {**relay("IN_PROGRESS"), "code": "fail"}, state="dreaming"),
    trap("the same, where the code is a number with Success", "minimax",
         minimax("Processing", 1002), state="dreaming"),
    trap("202 is no success yet", "stability", answer({"status": "in-progress"}, 202),
         state="dreaming", native_state="in-progress", links=[]),
    trap("200 may be the file itself", "stability", answer(FILE), state="completed",
         native_state="HTTP 200", raw=None, keyed=[True],
         links=[("file", "https://api.stability.ai/v2beta/results/g-1")]),
    trap("an error of nothing is none", "fal",
         {"status": "COMPLETED", "error": ""}, {"video": {"url": LINK}}, state="completed"),
    trap("the code for good may be absent", "heygen", {"data": {"status": "processing"}},
         state="dreaming"),
    trap("a relay may answer without an envelope", "kling",
         {"task_id": "1", "status": "completed", "url": LINK}, links=[("video", LINK)]),
]  # fmt: skip

HIDDEN_FAILURE = [
    trap("a failure is COMPLETED with an error", "fal",
         {"status": "COMPLETED", "error": "Runner crashed", "error_type": "runner_error"},
         state="failed", native_state="COMPLETED",
         failure=("runner_error", "Runner crashed"), progress=None),
    trap("a failure without a type is `error`", "fal",
         {"status": "COMPLETED", "error": {"message": "m"}}, failure=("error", "m")),
    trap("an error before the end ends nothing", "fal",
         {"status": "IN_PROGRESS", "error": "retrying"}, state="dreaming", failure=None),
    trap("a 4xx of the result is the model's own error", "fal", {"status": "COMPLETED"},
         answer({"detail": [{"msg": "refused", "type": "policy"}]}, 422),
         state="failed", failure=("error", '[{"msg":"refused","type":"policy"}]')),
    trap("a 403 of the result is none", "fal", {"status": "COMPLETED"}, answer({}, 403),
         kind=Trouble, known="completed"),
    trap("a 404 of the result is none: it was kept for an hour", "fal",
         {"status": "COMPLETED"}, answer({}, 404), kind=Trouble, known="completed"),
    trap("a 503 of the result is none", "fal",
         {"status": "COMPLETED"}, answer({}, 503), kind=Trouble, known="completed"),
    trap("done may mean an error", "veo", operation(done=True, error={"code": 3, "message": "m"}),
         state="failed", failure=("3", "m"), native_state="done"),
    trap("done may mean that all was filtered", "veo",
         operation(done=True, response=samples(raiMediaFilteredReasons=["violence"])),
         state="failed", failure=("filtered", "violence")),
    trap("done may mean that nothing is left", "veo", operation(done=True),
         state="failed", failure=("filtered", None)),
    trap("a 200 may say that the content was filtered", "stability",
         {"finish_reason": "CONTENT_FILTERED"}, state="failed", links=[],
         failure=("CONTENT_FILTERED", None)),
    trap("0 is no code of a failure", "minimax", minimax("Fail", 0),
         failure=("fail", "why")),
    trap("with Fail the code says why", "minimax", minimax("Fail", 1027),
         failure=("1027", "why")),
    trap("a failure may be an object", "heygen",
         {"code": 100, "data": {"status": "failed", "error": {"code": 40119, "detail": "d"}}},
         failure=("40119", "d")),
    trap("or have fields of its own on the newer path", "heygen",
         {"error": None, "data": {"status": "failed", "failure_code": "c",
                                  "failure_message": "m"}}, failure=("c", "m")),
    trap("or be a text", "heygen", {"data": {"status": "failed", "error": "e"}},
         failure=("failed", "e")),
    trap("a relay's failure may be an object", "relay-runway",
         {"task": {"status": "FAILED", "error": {"reason": "r"}}}, failure=("failed", "r")),
    trap("or a text", "relay-runway", {"task": {"status": "FAILED", "error": "e"}},
         failure=("failed", "e")),
    trap("or that of a relay's own body", "kling",
         {"task_id": "1", "status": "failed", "error": {"message": "m"}},
         failure=("failed", "m")),
    trap("what others call `error` is the reason", "pika", {"status": "failed", "error": "e"},
         failure=("failed", "e")),
    trap("the details of a moderation are told as they are", "flux",
         {"status": "Request Moderated", "details": {"Moderation Reasons": ["x"]}},
         failure=("request_moderated", '{"Moderation Reasons":["x"]}')),
    trap("a batch has many errors, and the first is told", "openai-batch",
         {"status": "failed", "errors": {"data": [None, {"code": "c", "message": "m"}]}},
         failure=("c", "m")),
    trap("an error of the clip stands in its metadata", "aimlapi-suno",
         {"status": "error", "audio_url": "https://cdn.example.net/None.mp3",
          "metadata": {"error_type": "moderation", "error_message": "m"}},
         state="failed", links=[], failure=("moderation", "m")),
]  # fmt: skip

NOT_A_FAILURE = [
    trap("`Task not found` is a status word", "flux", {"status": "Task not found"},
         kind=Missing),
    trap("in any spelling", "flux", {"status": "TASK_NOT_FOUND"}, kind=Missing),
    trap("`task_not_exist` inside a 200 is missing", "relay-suno",
         {"code": "task_not_exist", "message": "", "data": None}, kind=Missing),
    trap("inside a 400, too", "relay-udio", answer({"code": "task_not_exist"}, 400),
         kind=Missing),
    trap("another word of the envelope is trouble", "relay-luma-own",
         {"code": "fail_to_fetch", "message": "upstream", "data": None}, kind=Trouble),
    trap("so is success with nothing inside", "relay-suno",
         {"code": "Success", "message": "ok", "data": None}, kind=Trouble, malformed=True),
    trap("or with no task", "kling", {"code": 0, "message": "SUCCEED", "data": {}},
         kind=Trouble, malformed=True),
    trap("or with no video", "heygen", {"message": "Success", "data": {}},
         kind=Trouble, malformed=True),
    trap("a code inside a 200 may mean busy", "kling", kling(1302), kind=Busy),
    trap("also where it is a text", "kling", kling("1303"), kind=Busy),
    *(trap(f"or that the token is wrong ({code})", "kling", kling(code), kind=Refused)
      for code in range(1000, 1005)),
    trap("or that there is no such task", "kling", kling(1203), kind=Missing),
    trap("or something else", "kling", kling(5000), kind=Trouble),
    trap("a code inside a 200 means busy", "minimax", minimax(None, 1002), kind=Busy),
    trap("or refused", "minimax", minimax(None, 1008), kind=Refused),
    trap("what was flagged without a word has not failed", "minimax", minimax(None, 1026),
         kind=Trouble),
    trap("an empty word is none", "minimax", minimax("", 1026), kind=Trouble),
    trap("a status inside a 200 counts, also as a text", "aimlapi-video",
         {"statusCode": "404", "message": ["not found"]}, kind=Missing),
    trap("403 means that the credit is used up", "aimlapi-suno",
         {"statusCode": 403, "message": "credit"}, kind=Refused),
    trap("an old task is an invalid one", "minimax-v2",
         answer({"error": {"message": "invalid params, invalid task_id (2013)"}}, 400),
         kind=Missing),
    trap("a status inside a 200 counts where the API has it", "minimax-v2",
         {"type": "error", "error": {"message": "m", "http_code": "429"}}, kind=Busy),
    trap("a wrong request is not missing", "minimax-v2",
         answer({"error": {"message": "invalid params"}}, 400), kind=Rejected),
    trap("an error document in a 200 names no operation", "veo",
         {"error": {"code": 404, "message": "m"}}, kind=Missing),
    trap("an empty object is no operation that runs", "veo", {}, kind=Trouble),
    trap("`done` that is a text is no end", "veo", operation(done="true"), kind=Trouble),
    trap("`done` that is a number is no end", "veo", operation(done=1), state=None),
    trap("the page of a proxy is no file", "stability",
         answer(b"<!DOCTYPE html><p>Sorry"), kind=Trouble),
    trap("another key's job is not there", "stability", answer({"errors": []}, 404),
         kind=Missing),
    trap("no credit concerns the source", "flux", answer({"detail": "credits"}, 402),
         kind=Refused),
    trap("a code of HeyGen's without a video is trouble", "heygen",
         {"code": 400112, "message": "Unauthorized", "data": None}, kind=Trouble),
    trap("done false goes on", "veo", operation(done=False), state="dreaming"),
    trap("done absent goes on", "veo", operation(), state="dreaming", native_state="running"),
]  # fmt: skip

LINKS = [
    trap("a live stream is no output", "aimlapi-suno",
         {"status": "streaming", "audio_url": SONG}, state="dreaming", links=[]),
    trap("nor is a clip that streams while its task runs", "relay-suno",
         relay("IN_PROGRESS", data=[clip("complete", audio_url=SONG)]), links=[]),
    trap("nor is a preview", "relay-midjourney",
         {"status": "IN_PROGRESS", "imageUrl": IMAGE, "progress": "46%"},
         links=[], progress=0.46),
    trap("every link in the output counts, and no embedded file", "replicate",
         {"status": "succeeded", "output": {"a": [IMAGE, {"b": LINK}], "c": IMAGE,
                                            "d": "data:image/png;base64,AA", "e": 7}},
         links=[("image", IMAGE), ("video", LINK)]),
    trap("`content_type` beside a link tells its type", "fal", {"status": "COMPLETED"},
         {"images": [{"url": "https://cdn.example.net/x", "content_type": "image/webp"}]},
         links=[("image", "https://cdn.example.net/x")]),
    trap("an unsafe image has no link", "ideogram",
         {"status": "completed", "data": [{"url": "", "object_type": "image"},
                                          {"url": IMAGE, "object_type": "image"}, None]},
         links=[("image", IMAGE)]),
    trap("videos and images both", "kling",
         kling(0, task_status="succeed", task_result={"videos": [{"url": LINK}],
                                                      "images": [{"url": IMAGE}]}),
         links=[("video", LINK), ("image", IMAGE)]),
    trap("the link without a watermark is told alone", "relay-luma-own",
         {"state": "completed", "video": {"url": IMAGE, "download_url": LINK}},
         links=[("video", LINK)]),
    trap("an empty link is none", "relay-luma",
         {"state": "completed", "video": {"url": LINK, "download_url": ""},
          "video_raw": {"url": ""}}, links=[("video", LINK)]),
    trap("a song's link has two names", "relay-udio",
         relay("SUCCESS", data={"songs": [{"song_path": "", "audio_url": SONG}]}),
         links=[("audio", SONG)]),
    trap("a file has a second call, and its id may be a number", "minimax",
         minimax("Success", 0, file_id=176844028768320),
         {"file": {"backup_download_url": LINK}, "base_resp": {"status_code": 0}},
         links=[("video", LINK)]),
    trap("a second call may complain inside a 200", "minimax",
         minimax("Success", 0, file_id="1"), minimax(None, 1002), kind=Trouble,
         known="completed"),
    trap("what follows from an id opens with the key", "openai-videos",
         {"status": "completed"}, keyed=[True],
         links=[("video", "https://api.openai.com/v1/videos/g-1/content")]),
    trap("a batch without an output file has no link", "openai-batch",
         {"status": "completed", "output_file_id": None, "error_file_id": "f"},
         state="completed", links=[]),
    trap("what is Google's own opens with the key for two days", "veo",
         operation(done=True, response=samples(LINK)), keyed=[True],
         ends=["2026-03-04T10:02:00Z"]),
    trap("the end of a link stands in it", "flux",
         {"status": "Ready", "result": {"sample": f"{IMAGE}?se=2026-03-02T10%3A11%3A40Z"}},
         ends=["2026-03-02T10:11:40Z"]),
    trap("or follows from the life of links", "flux",
         {"status": "Ready", "result": {"sample": IMAGE}}, ends=["2026-03-02T10:12:00Z"]),
    trap("a link that has ended is told with its end", "replicate",
         {"status": "succeeded", "output": f"{LINK}?Expires=1772445600"},
         ends=["2026-03-02T10:00:00Z"]),
    trap("Amazon's way", "relay-luma",
         {"state": "completed",
          "video": {"url": f"{LINK}?X-Amz-Date=20260302T100140Z&X-Amz-Expires=60"}},
         ends=["2026-03-02T10:02:40Z"]),
    trap("Google's way", "replicate",
         {"status": "succeeded",
          "output": f"{LINK}?X-Goog-Date=20260302T100140Z&X-Goog-Expires=60"},
         ends=["2026-03-02T10:02:40Z"]),
    trap("Runway's way", "runway", {"status": "SUCCEEDED", "output": [jwt_until(1772445600)]},
         ends=["2026-03-02T10:00:00Z"]),
    trap("nobody knows, and nobody guesses", "pika", {"status": "finished", "url": LINK},
         ends=[None]),
]  # fmt: skip

NUMBERS = [
    trap("the sample of the documents says `created_at`", "dream-machine",
         {"state": "queued", "created_at": "created_at"}, created=None),
    trap("0 is no time", "relay-suno", relay("SUBMITTED", submit_time=0), created=None),
    trap("seconds", "relay-suno", relay("SUBMITTED", submit_time=1772445600),
         created="2026-03-02T10:00:00Z"),
    trap("milliseconds", "kling", kling(0, task_status="submitted", created_at=1772445600000),
         created="2026-03-02T10:00:00Z"),
    trap("milliseconds in a text", "relay-midjourney",
         {"status": "SUBMITTED", "submitTime": "1772445600000"},
         created="2026-03-02T10:00:00Z"),
    trap("in the envelope", "heygen",
         {"code": 100, "data": {"status": "pending", "created_at": 1772445600}},
         created="2026-03-02T10:00:00Z"),
    trap("a time without a zone is UTC", "ideogram",
         {"status": "pending", "created": "2026-03-02T10:00:00"},
         created="2026-03-02T10:00:00Z"),
    trap("progress counts to a hundred", "openai-videos",
         {"status": "in_progress", "progress": 37}, progress=0.37),
    trap("also in a text", "pika", {"status": "started", "progress": "40"}, progress=0.4),
    trap("progress counts to one, in a text", "relay-runway",
         {"task": {"status": "RUNNING", "progressRatio": "0.3"}}, progress=0.3),
    trap("progress counts requests", "openai-batch",
         {"status": "in_progress", "request_counts": {"total": 8, "completed": 2}},
         progress=0.25),
    trap("of no requests there is no progress", "openai-batch",
         {"status": "validating", "request_counts": {"total": 0, "completed": 0}},
         progress=None),
    trap("progress stands in the logs", "replicate",
         {"status": "processing", "logs": "  8%|#  | 4/50\r 42%|####2 | 21/50\nMemory 93% full"},
         progress=0.42),
    trap("logs without progress", "replicate", {"status": "processing", "logs": "hi"},
         progress=None),
    trap("what is over the top is the top", "flux", {"status": "Pending", "progress": 1.5},
         progress=1.0),
    trap("completed is all of it", "flux", {"status": "Ready", "progress": 0.2}, progress=1.0),
    trap("the wait may stand in the body", "flux", answer({"retry_after": "5"}, 429),
         kind=Busy, after=5.0),
    trap("or in a sentence", "replicate", answer({"detail": "limit resets in ~30s."}, 429),
         kind=Busy, after=30.0),
    trap("0 is a wait", "ideogram", answer({}, 429, {"retry-after": "0"}), after=0.0),
    trap("milliseconds go first", "openai-batch",
         answer({}, 503, {"retry-after-ms": "250", "retry-after": "9"}),
         kind=Trouble, after=0.25),
    trap("a header tells when to look again", "openai-videos",
         answer({"status": "queued"}, 200, {"openai-poll-after-ms": "2500"}), again=2.5),
]  # fmt: skip

WHOSE = [
    trap("a prediction names its model", "replicate",
         {"status": "starting", "model": "acme/clip-maker"}, model="acme/clip-maker"),
    trap("a clip names its model", "aimlapi-suno",
         {"status": "queued", "model_name": "chirp-v3"}, model="chirp-v3"),
    trap("an answer speaks of the id that was asked", "relay-luma",
         {"id": "another", "state": "dreaming"}, states={"g-1": "dreaming"}),
    trap("also as a list of one", "aimlapi-video", [{"id": "x", "status": "queued"}],
         states={"g-1": "queued"}),
    batch_trap("ids are compared as text", "relay-midjourney",
               [{"id": 7, "status": "SUCCESS"}, {"id": "other", "status": "FAILURE"}],
               states={"7": "completed"}, unseen=["g-1"]),
    batch_trap("an item is keyed by its id", "aimlapi-luma",
               {"g-1": {"state": "queued"}, "7": {"state": "failed"}},
               states={"g-1": "queued", "7": "failed"}),
    batch_trap("a list lies at any depth", "aimlapi-luma",
               {"data": {"page": {"rows": [{"id": "g-1", "state": "queued"}]}}},
               states={"g-1": "queued"}, unseen=["7"]),
    batch_trap("of equal ids the higher rank stands", "aimlapi-luma",
               [{"id": 7, "state": "completed"}, {"id": "7", "state": "dreaming"}, None, 3],
               states={"7": "completed"}),
    batch_trap("a task has no object before its start", "relay-luma-own",
               {"code": "success", "data": [
                   {"task_id": "g-1", "status": "NOT_START", "data": None},
                   {"task_id": "7", "status": "IN_PROGRESS", "data": {"state": "completed"}},
               ]}, states={"g-1": "queued", "7": "completed"}),
    batch_trap("a task's own time counts", "relay-luma-own",
               {"code": "success", "data": [{"task_id": "7", "status": "QUEUED",
                "submit_time": 1772445600, "created_at": "2020-01-01T00:00:00Z"}]},
               created="2026-03-02T10:00:00Z"),
    batch_trap("a row's own number is no id", "relay-suno",
               {"code": "success", "data": [{"id": 7, "task_id": "g-1", "status": "SUCCESS"}]},
               states={"g-1": "completed"}, unseen=["7"]),
    batch_trap("a batch has no one to be missing", "relay-luma-own",
               {"code": "task_not_exist", "data": None}, kind=Rejected),
    batch_trap("an empty batch leaves everybody unseen", "relay-suno",
               {"code": "success", "data": []}, states={}, unseen=["g-1", "7"]),
]  # fmt: skip

TRAPS = [
    *WORDS, *HIDDEN_SUCCESS, *HIDDEN_FAILURE, *NOT_A_FAILURE, *LINKS, *NUMBERS, *WHOSE,
]  # fmt: skip


@pytest.mark.parametrize("one", TRAPS, ids=str)
def test_a_trap_is_told_from_what_it_looks_like(one: Trap) -> None:
    reading = talk(provider(one.provider), one.look, *one.answers).reading

    assert {key: told(reading, key) for key in one.told} == one.told
