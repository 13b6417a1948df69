"""The courier: brings one delivery to its webhook and returns what came back; judges nothing.

One attempt is one request or a few, all within the webhook's `timeout`: a token and the question
for consent where they are needed, the message in the richest form that the receiver takes, once
more after a token was refused, and as a post where the message that it edits is gone.
"""

from collections.abc import Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, ClassVar, NamedTuple, Protocol

import anyio

from bridge.core.delivering.acknowledgement import (
    Accepted,
    Acknowledgement,
    TooRich,
    Unclear,
    Uneditable,
)
from bridge.core.delivering.delivery import Delivery
from bridge.core.delivering.signing import hub_signature, signature_headers
from bridge.core.network.exchange import (
    Answer,
    Headers,
    Phase,
    Request,
    Response,
    Unanswered,
)
from bridge.core.network.masking import MASK
from bridge.core.network.urls import beneath
from bridge.core.network.veil import Veil
from bridge.core.ports import Clock, Consent, Editor, Form, Http, Rendered
from bridge.core.record import Record
from bridge.core.secrecy import veil_of
from bridge.core.settings import Webhook
from bridge.engine.consents import Consents

ANSWER_LIMIT = 64 * 1024
"""Bytes of a receiver's answer that are read (DELIVERY.md, section 2)."""

VEILS = 10_000
"""Webhooks whose secrets are known at once; then they are gathered anew."""

UNCLEAR = Unclear()

UNQUOTED = "its answer holds a secret, and so is not quoted"

_HUB = "x-hub-signature-256"
_PLAIN = Rendered(body=b"").headers
_SHOWN = frozenset({"content-type", "content-encoding"})


class Credentials(Protocol):
    """Knows how each receiver is shown who we are."""

    async def headers(self, webhook: Webhook, *, until: float) -> Headers | str:
        """Return the headers, before the moment `until`; or why there are none, in a sentence.

        The sentence holds no secret.
        """
        ...

    def refused(self, webhook: Webhook, headers: Headers) -> bool:
        """Forget headers that the receiver answered with 401; return whether others may help."""
        ...


class Brought(Record, frozen=True, kw_only=True):
    """What one attempt came to.

    `answer` None: the format has nothing to say of this message, or `unrendered` says why it
    could not be said. `form` is the form that was sent last, `started` when its first request
    began, `sent` the headers of its last one, masked where they are secret. `granted` is how many
    a second the receiver has consented to; None: any number, or it was not asked. `size` are the
    bytes of the last body.
    """

    unshown: ClassVar[frozenset[str]] = frozenset({"sent"})

    answer: Answer | None
    acknowledgement: Acknowledgement = UNCLEAR
    form: Form = Form.FULL
    started: datetime | None = None
    sent: Headers = ()
    unrendered: str | None = None
    granted: float | None = None
    size: int = 0


class _Veiled(NamedTuple):
    """What masks the secrets of a webhook, and of which settings it was made.

    They are kept, for only so nothing else can have their identity.
    """

    webhook: Webhook
    credentials: Headers
    veil: Veil


class Courier:
    """Brings deliveries, many at a time.

    `origin` is the name by which receivers that are asked for their consent know us.
    """

    def __init__(
        self,
        *,
        http: Http,
        clock: Clock,
        version: str,
        credentials: Credentials | None = None,
        origin: str = "genbridge",
    ) -> None:
        self._http = http
        self._clock = clock
        self._agent = ("user-agent", f"genbridge/{version}")
        self._credentials = credentials
        self._consents = Consents(clock=clock, origin=origin)
        self._veils: dict[int, _Veiled] = {}

    def bring(
        self, webhook: Webhook, delivery: Delivery, *, form: Form = Form.FULL
    ) -> Coroutine[Any, Any, Brought]:
        """Make one attempt, in no richer form than `form`.

        Never raises for what a network or a format does.
        """
        trip = _Trip(webhook, delivery, form, self._clock)
        if webhook.auth is None and not self._consents.wanted(webhook):
            return self._delivered(trip)
        return self._introduced(trip)

    async def _introduced(self, trip: "_Trip") -> Brought:
        """Deliver with credentials, and after the question for consent, where they are wanted."""
        webhook = trip.webhook
        if webhook.auth is not None and (why := await self._authorize(trip)):
            return trip.brought(Unanswered(phase=Phase.CREDENTIALS, reason=why))
        if self._consents.wanted(webhook):
            consent = await self._consented(trip)
            if isinstance(consent, Unanswered):
                return trip.brought(consent)
            trip.greeting, trip.granted = self._consents.greeting, consent.rate
        return await self._delivered(trip)

    async def _delivered(self, trip: "_Trip") -> Brought:
        """Send poorer and poorer forms until the receiver can take one.

        What cannot be edited is posted, beginning with the form that the edit had.
        """
        answer: Answer | None = None
        acknowledgement: Acknowledgement = UNCLEAR
        form: Form | None = trip.form
        while form is not None:
            try:
                rendered = _dressed(trip, form)
            except Exception as error:  # noqa: BLE001  (a format is foreign code on foreign data)
                # Only its kind: what a format says might quote the message.
                return Brought(answer=None, form=form, unrendered=type(error).__name__)
            if rendered is None:
                break
            trip.form = form
            answer = await self._sent(trip, self._request(trip, rendered))
            if trip.webhook.auth is not None and self._worth_another(trip, answer):
                answer = await self._sent_again(trip, rendered)
            if not isinstance(answer, Response):
                return trip.brought(answer)
            acknowledgement = _read(trip.webhook, answer)
            veiled = self._veil(trip).over(answer)
            if veiled is not answer:
                answer = veiled
                acknowledgement = _requoted(acknowledgement, _read(trip.webhook, veiled))
            form = _next(trip, form, acknowledgement)
        if trip.receipt is not None and isinstance(acknowledgement, Accepted):
            acknowledgement = replace(acknowledgement, edited=True)
        return trip.brought(answer, acknowledgement)

    def _veil(self, trip: "_Trip") -> Veil:
        """Return what masks the secrets of a webhook; it is made once for all its attempts."""
        known = self._veils.get(id(trip.webhook))
        if known is None or known.credentials != trip.credentials:
            if len(self._veils) >= VEILS:
                self._veils.clear()
            veil = veil_of(trip.webhook, credentials=trip.credentials)
            known = _Veiled(trip.webhook, trip.credentials, veil)
            self._veils[id(trip.webhook)] = known
        return known.veil

    async def _sent_again(self, trip: "_Trip", rendered: Rendered) -> Answer:
        """Send one form once more, with a new token: the receiver has refused the old one."""
        trip.resent = True
        if why := await self._authorize(trip):
            return Unanswered(phase=Phase.CREDENTIALS, reason=why)
        return await self._sent(trip, self._request(trip, rendered))

    def _worth_another(self, trip: "_Trip", answer: Answer) -> bool:
        if trip.resent or self._credentials is None:
            return False
        if not isinstance(answer, Response) or answer.status != HTTPStatus.UNAUTHORIZED:
            return False
        return self._credentials.refused(trip.webhook, trip.credentials)

    async def _authorize(self, trip: "_Trip") -> str | None:
        """Take credentials along; return why there are none, None: there are."""
        if self._credentials is None:
            return "there are no credentials at hand"
        try:
            found = await self._credentials.headers(trip.webhook, until=trip.until)
        except Exception as error:  # noqa: BLE001  (our own fault must not cost the others)
            return _ours(error)
        if isinstance(found, str):
            return found
        trip.credentials = found
        return None

    async def _consented(self, trip: "_Trip") -> Consent | Unanswered:
        async def ask(rendered: Rendered) -> Answer:
            headers = (*rendered.headers, self._agent, *trip.extra)
            return await self._sent(trip, _asked(trip.webhook, rendered, headers))

        with anyio.CancelScope(deadline=trip.until):
            return await self._consents.consent(trip.webhook, ask)
        return Unanswered(phase=Phase.DEADLINE, reason="no time left after the question")

    async def _sent(self, trip: "_Trip", request: Request) -> Answer:
        left = trip.until - self._clock.monotonic()
        if left <= 0.0:
            return Unanswered(phase=Phase.DEADLINE, reason="no time for another request")
        try:
            return await self._http.send(
                request,
                timeout=timedelta(0, left),
                limit=ANSWER_LIMIT,
                way=trip.webhook.way,
            )
        except Exception as error:  # noqa: BLE001  (our own fault must not cost the others)
            return Unanswered(phase=Phase.LOCAL, reason=_ours(error))

    def _request(self, trip: "_Trip", rendered: Rendered) -> Request:
        webhook, delivery = trip.webhook, trip.delivery
        # The time is that of this very request: receivers refuse what is older than five minutes.
        now = self._clock.now()
        trip.started = trip.started or now
        signed = signature_headers(
            webhook.keys, delivery.message.webhook_id, int(now.timestamp()), rendered.body
        )
        ours = (self._agent, *signed[:2], ("webhook-attempt", str(delivery.attempt)))
        seals = signed[2:]
        if webhook.hub_signature and webhook.keys:
            seals = (*seals, (_HUB, hub_signature(webhook.keys[0], rendered.body)))
        secret = (*seals, *trip.extra)
        trip.note(rendered, ours, secret)
        headers = (*rendered.headers, *ours, *trip.greeting, *secret)
        return _asked(webhook, rendered, headers)


class _Trip:
    """One attempt under way: what is taken along, and what has been sent of it."""

    __slots__ = (
        "credentials",
        "delivery",
        "form",
        "granted",
        "greeting",
        "receipt",
        "resent",
        "sent",
        "size",
        "started",
        "until",
        "webhook",
    )

    def __init__(
        self, webhook: Webhook, delivery: Delivery, form: Form, clock: Clock
    ) -> None:
        self.webhook = webhook
        self.delivery = delivery
        self.form = form
        self.receipt = delivery.receipt
        """What names the message that is edited; None: it is posted."""
        self.until = clock.monotonic() + webhook.timeout.total_seconds()
        self.credentials: Headers = ()
        self.greeting: Headers = ()
        self.granted: float | None = None
        self.resent = False
        self.started: datetime | None = None
        self.sent: Headers = ()
        self.size = 0

    @property
    def extra(self) -> Headers:
        """What the configuration adds to every request: all of it may be secret."""
        return (*self.webhook.headers, *self.credentials)

    def note(self, rendered: Rendered, ours: Headers, secret: Headers) -> None:
        """Remember the headers of a request as they may be shown, and its size."""
        self.size = len(rendered.body)
        own = rendered.headers
        if own is not _PLAIN:
            own = tuple((n, v if n.lower() in _SHOWN else MASK) for n, v in own)
        self.sent = (*own, *ours, *self.greeting, *[(name, MASK) for name, _ in secret])

    def brought(
        self, answer: Answer | None, acknowledgement: Acknowledgement = UNCLEAR
    ) -> Brought:
        """Return what it came to."""
        return Brought(
            answer=answer,
            acknowledgement=acknowledgement,
            form=self.form,
            started=self.started,
            sent=self.sent,
            granted=self.granted,
            size=self.size,
        )


def _dressed(trip: _Trip, form: Form) -> Rendered | None:
    """Return the edit of the message that the trip has a receipt of, else the post."""
    format_, message = trip.webhook.format, trip.delivery.message
    if trip.receipt is not None:
        if isinstance(format_, Editor):
            edit = format_.edit(message, trip.receipt, form)
            if edit is not None:
                return edit
        trip.receipt = None
    return format_.render(message, form)


def _next(trip: _Trip, form: Form, acknowledgement: Acknowledgement) -> Form | None:
    """Return the form to send after an answer; None: the answer counts."""
    if isinstance(acknowledgement, TooRich):
        return form.poorer
    if trip.receipt is not None and isinstance(acknowledgement, Uneditable):
        trip.receipt = None
        return form
    return None


def _asked(webhook: Webhook, rendered: Rendered, headers: Headers) -> Request:
    url = webhook.url
    if rendered.path or rendered.query:
        url = beneath(url, rendered.path, rendered.query)
    return Request(method=rendered.method, url=url, headers=headers, body=rendered.body)


def _read(webhook: Webhook, answer: Response) -> Acknowledgement:
    try:
        return webhook.format.read(answer)
    except Exception:  # noqa: BLE001  (a format is foreign code on foreign data)
        return UNCLEAR


def _requoted(first: Acknowledgement, veiled: Acknowledgement) -> Acknowledgement:
    """Return what an answer means, in words that were read of it without its secrets.

    What it means is as the receiver said it, whatever masking has made of that.
    """
    match first:
        case Accepted():
            return first
        case Unclear():
            return veiled if isinstance(veiled, Unclear) else UNCLEAR
        case _:
            same = type(veiled) is type(first)
            return replace(first, why=getattr(veiled, "why", "") if same else UNQUOTED)


def _ours(error: Exception) -> str:
    return f"genbridge itself failed: {type(error).__name__}"
