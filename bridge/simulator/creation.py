"""Creation: a generation that is begun over HTTP."""

from collections.abc import Iterator, Mapping
from typing import Any

from bridge.simulator.account import Account
from bridge.simulator.api import Api, Documents, error_reply
from bridge.simulator.callbacks import callbacks
from bridge.simulator.exchange import Call, Reply, json_reply, read_object
from bridge.simulator.picture import PROMPT, Job
from bridge.simulator.timeline import Timeline, failing


def create_reply(
    api: Api,
    call: Call,
    account: Account,
    *,
    status: int = 201,
    shown: Documents | None = None,
    **details: str,
) -> Reply:
    """Begin a generation as a JSON body asks for it, and say so.

    `shown` makes the answer of the first picture: the document of a look, where none is given.
    `details` are those of `begin`. A body that is no object, or whose prompt is no text, is
    refused.
    """
    wish = read_object(call.body)
    prompt = None if wish is None else prompt_in(wish)
    if wish is None or prompt is None:
        message = "The body must be a JSON object with a prompt"
        return error_reply(api, 400, message, call, account)
    model = str(wish.get("model") or wish.get("model_name") or "")
    job = begin(api, call, account, **{"prompt": prompt, "model": model, **details})
    first = account.picture(job, call.at, stale=False)
    return json_reply((shown or api.document)(first), status)


def begin(
    api: Api,
    call: Call,
    account: Account,
    *,
    prompt: str = PROMPT,
    **details: str,
) -> Job:
    """Begin a generation and see to its callbacks; the word `fail` in the prompt makes it fail.

    `details` are further fields of the Job: kind, model, place.
    """
    script = account.switches.script
    job = Job(
        id=api.ids(account.chance),
        timeline=Timeline.of(failing(script) if "fail" in prompt else script, api.words),
        started=call.at,
        created_at=account.clock.now(),
        prompt=prompt,
        **details,
    )
    account.add(job)
    account.outbox.extend(callbacks(api.hook, api.document, job, call, account))
    return job


def prompt_in(wish: Mapping[str, Any]) -> str | None:
    """Return the first prompt, at any depth; None: it is no text.

    A prompt is what is called so, or a text with `prompt` in its name. A body without any asks
    for an example.
    """
    found = next(_prompts(wish), PROMPT)
    return found if isinstance(found, str) else None


def _prompts(value: object) -> Iterator[object]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            if name == "prompt" or ("prompt" in name.lower() and isinstance(item, str)):
                yield item
            else:
                yield from _prompts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _prompts(item)
