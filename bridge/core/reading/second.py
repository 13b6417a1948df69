"""The answer to a second call: the outputs of what was seen completed."""

from collections.abc import Sequence
from dataclasses import replace

from bridge.core.ladder import State
from bridge.core.looking import Failure, Observation, Reading, Seen
from bridge.core.network.exchange import Response
from bridge.core.reading.api import Api, SecondCall
from bridge.core.reading.complaint import Complaint
from bridge.core.reading.document import Document, document
from bridge.core.reading.failing import why
from bridge.core.reading.outputs import outputs

_NOT_OF_THE_MODEL = frozenset({401, 402, 403, 404, 408, 410, 425, 429})
"""Statuses that concern the asking, not what was to be made."""


def read_result(
    answer: Response, seen: Observation, api: Api, call: SecondCall, secrets: Sequence[str]
) -> Reading:
    """Return the completed generation with its outputs, or why there are none yet.

    A failing call is trouble that knows what was seen; where the call judges, a 4xx is the
    failure of the generation.
    """
    found = document(answer.body)
    value = found.value if isinstance(found, Document) else None
    fine = 200 <= answer.status <= 299 and value is not None
    if fine:
        told = _with_outputs(seen, value, answer, api, call)
        # What was made counts more than what an envelope says (rule 4).
        if told.outputs or not _complains(value, api):
            return Seen(observations=(told,))
    if call.judges and _judges(answer.status):
        return Seen(observations=(_failed(seen, call.reason(value)),))
    complaint = Complaint(
        response=answer,
        document=value,
        single=True,
        complaints=api.dialect.complaints,
        secrets=secrets,
    )
    return complaint.unfinished(seen)


def _with_outputs(
    seen: Observation, value: object, answer: Response, api: Api, call: SecondCall
) -> Observation:
    made = outputs(
        call.outputs(value),
        observed_at=answer.received_at,
        life=api.dialect.life,
        needs_key=api.dialect.needs_key,
    )
    return replace(seen, outputs=made)


def _complains(value: object, api: Api) -> bool:
    ok = api.dialect.complaints.ok
    return ok is not None and ok(value) is False


def _judges(status: int) -> bool:
    return 400 <= status <= 499 and status not in _NOT_OF_THE_MODEL


def _failed(seen: Observation, reason: object) -> Observation:
    return replace(
        seen,
        state=State.FAILED,
        outputs=(),
        progress=None,
        failure=Failure(code="error", reason=why(reason)),
    )
