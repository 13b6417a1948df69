"""Trials: an example sent to a webhook now, and what its answer means."""

from typing import Annotated, Literal
from uuid import uuid4

from fastapi import APIRouter, Request
from pydantic import AfterValidator, ConfigDict, Field
from starlette.responses import Response

from bridge.core.delivering.diagnosis import Diagnosis, diagnose
from bridge.core.delivering.symptoms import Symptom
from bridge.core.delivering.trial import Trial, of_a_trial
from bridge.core.examples import GENERATIONS, NOTICES, example
from bridge.core.ports import Form
from bridge.core.secrecy import veil_of
from bridge.core.settings import Webhook
from bridge.web.addressees import receiver_of
from bridge.web.answer import Json, answer, problems, takes
from bridge.web.attempts import shown_trial
from bridge.web.delivery_shapes import TrialShape
from bridge.web.mistakes import refused
from bridge.web.phase import must_be_open
from bridge.web.service import Service
from bridge.web.strict import Strict, optional_body
from bridge.web.webhooks import still_there, webhook_named

EVENTS = (*GENERATIONS, *NOTICES)
_GENERATION = "generation."
SHORT = tuple(kind.removeprefix(_GENERATION) for kind in GENERATIONS)


def _event(word: str) -> str:
    """Return the type that a word means: `completed` is `generation.completed`."""
    kind = word if word in EVENTS else _GENERATION + word
    if kind not in EVENTS:
        raise ValueError(f"there is no such event; there is {', '.join(EVENTS)}")
    return kind


class TrialOrder(Strict):
    """What is sent."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"event": "failed", "form": "full"}}
    )

    event: Annotated[str, AfterValidator(_event)] = Field(
        default="generation.completed",
        description="The type of the example; `completed` is `generation.completed`.",
        json_schema_extra={"enum": [*EVENTS, *SHORT]},
    )
    form: Literal["full", "compact", "text"] = Field(
        default="full", description="How rich it is; a receiver may get a poorer one."
    )


def router(service: Service) -> APIRouter:
    """Return the calls."""
    calls = APIRouter(tags=["webhooks"])

    @calls.post(
        "/v1/webhooks/{name}/test",
        summary="Try a webhook",
        responses={**answer(TrialShape), **problems(400, 404, 415, 422, 503)},
        openapi_extra=takes(TrialOrder, required=False),
    )
    async def test(name: str, request: Request) -> Response:
        """Send an example now, whatever the webhook's condition; say what the answer means.

        The rate counts it. It is stored nowhere, and changes nothing of how the webhook stands.
        """
        order = await optional_body(request, TrialOrder)
        if not isinstance(order, TrialOrder):
            return refused(order)
        webhook = await webhook_named(service, name)
        must_be_open(service)
        # A new id, for receivers that have seen an id before do nothing.
        message = example(order.event, now=service.now(), message_id=uuid4(), webhook=name)
        form = Form[order.form.upper()]
        with still_there():
            trial = await service.test(webhook.state.id, message=message, form=form)
        receiver = receiver_of(webhook, service.settings)
        own = receiver.format_name if isinstance(receiver, Webhook) else "standard"
        found = _of_a_trial(diagnose(_symptom(trial, own)))
        return Json(shown_trial(trial, found, veil_of(receiver)))

    return calls


def _of_a_trial(diagnosis: Diagnosis) -> Diagnosis:
    return Diagnosis(means=of_a_trial(diagnosis.means), advice=of_a_trial(diagnosis.advice))


def _symptom(trial: Trial, format_name: str) -> Symptom:
    return Symptom(
        format=format_name,
        url=trial.url,
        status=trial.status,
        reason=trial.reason,
        sentence=trial.sentence,
        form=trial.form,
        answer=trial.answer,
    )
