"""What the tests of the courier and its companions are made of."""

from uuid import UUID

from bridge.core.delivering.acknowledgement import Acknowledgement, TooRich, Unclear
from bridge.core.delivering.delivery import Delivery
from bridge.core.message import Message
from bridge.core.network.exchange import Request, Response
from bridge.core.ports import Form, Limits, Rendered

BODY = b'{"type":"generation.completed","timestamp":"2026-11-21T08:30:00Z","data":{"a":1}}'


def message(body: bytes = BODY) -> Message:
    return Message(id=UUID(int=7), body=body)


def delivery(body: bytes = BODY, *, attempt: int = 1) -> Delivery:
    return Delivery(
        id=1,
        fence=1,
        webhook=1,
        watch=1,
        seq=2,
        attempt=attempt,
        tries=attempt - 1,
        manual=False,
        message=message(body),
    )


def named(request: Request, name: str) -> str | None:
    """The value of a request's header."""
    return next((v for k, v in request.headers if k.lower() == name), None)


class Fussy:
    """A format whose receiver finds everything but one line too rich."""

    limits = Limits()
    signed = True

    def render(self, message: Message, form: Form = Form.FULL) -> Rendered | None:
        return Rendered(body=form.name.encode())

    def read(self, response: Response) -> Acknowledgement:
        return Unclear() if response.status < 300 else TooRich(why="invalid_blocks")
