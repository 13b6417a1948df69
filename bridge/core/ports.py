"""The Protocols through which neighbours meet; `app.py` introduces them to each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import ClassVar, Protocol, runtime_checkable

from bridge.core.change import Change, Recorded
from bridge.core.delivering.acknowledgement import Acknowledgement
from bridge.core.delivering.callback import Callback
from bridge.core.delivering.delivery import Delivery, Settlement, WebhookState
from bridge.core.delivering.receipt import Receipt
from bridge.core.discovery import Discovery
from bridge.core.listing import (
    DeliveryFilter,
    DeliveryPage,
    History,
    ListedWatch,
    ListedWebhook,
    Replica,
    Timeline,
    WatchFilter,
    WatchPage,
)
from bridge.core.looking import Abilities, Asking, Look
from bridge.core.message import Message
from bridge.core.network.exchange import Answer, Request, Response
from bridge.core.network.way import DIRECT, Way
from bridge.core.pacing.heirloom import Heirloom
from bridge.core.pacing.saved import SavedTable
from bridge.core.record import Record
from bridge.core.replay import Preview, Replay, Replayed, ReplayFilter
from bridge.core.watch import Generation, Watch, WatchWish


class Clock(Protocol):
    """What time it is."""

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC: for stamps, never for waiting."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never jump, on the scale that `anyio.sleep_until` waits on."""
        ...


class Chance(Protocol):
    """Where luck comes from."""

    def draw(self) -> float:
        """Return a number in [0, 1)."""
        ...


class Log(Protocol):
    """Writes down what happened: a fixed phrase and fields; never a secret, never a whole URL."""

    def debug(self, event: str, /, **fields: object) -> object:
        """Write for those who look for a fault."""
        ...

    def info(self, event: str, /, **fields: object) -> object:
        """Write what a user wants to have read: state changes, start, stop, reload."""
        ...

    def warning(self, event: str, /, **fields: object) -> object:
        """Write of a failed attempt, of an unknown word: it goes on."""
        ...

    def error(self, event: str, /, **fields: object) -> object:
        """Write of a delivery given up, a source refusing, the store failing."""
        ...


class Http(Protocol):
    """Sends one request; an expected failure is a value."""

    async def send(
        self,
        request: Request,
        *,
        timeout: timedelta,  # noqa: ASYNC109  (the word of users; it bounds all of it)
        limit: int,
        way: Way = DIRECT,
    ) -> Answer:
        """Send and read at most `limit` bytes of the answer, all within `timeout`.

        Never follows a redirect, never decompresses, never raises for what a network does.
        """
        ...


class Provider(Protocol):
    """Knows one kind of upstream API: what to ask and how to read the answer. No I/O."""

    @property
    def abilities(self) -> Abilities:
        """What this API can do."""
        ...

    def ask(self, look: Look) -> Asking:
        """Yield the requests of a look, be sent the responses, return the reading."""
        ...


@runtime_checkable
class Selective(Protocol):
    """A provider that knows without a request which ids it can never ask about."""

    def fits(self, one: str) -> str | None:
        """Return why an id can never be asked about, as a sentence; None: it can.

        The sentence goes to people and quotes neither the id nor a secret.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a receiver takes at most; `rate` is the preset for a webhook without `rate_limit`."""

    body: int | None = None
    rate: float | None = None


class Rendered(Record, frozen=True, kw_only=True):
    """A body, the headers that belong to it (content-type among them), and where it goes.

    `path` is put behind the webhook's own path, `query` (encoded, without `?`) is added to its
    query: some receivers have a call of their own for each kind of message.
    """

    unshown: ClassVar[frozenset[str]] = frozenset({"body"})

    body: bytes
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)
    method: str = "POST"
    path: str = ""
    query: str = ""


class Form(IntEnum):
    """How rich a rendered message is; a receiver that finds it too rich gets the next one."""

    FULL = 0
    COMPACT = 1
    """No image, no metadata."""
    TEXT = 2
    """One line."""

    @property
    def poorer(self) -> "Form | None":
        """The next poorer form, None: this is the poorest."""
        return None if self is Form.TEXT else Form(self + 1)


class Format(Protocol):
    """Knows one kind of receiver: how to dress a message and how to read the answer. No I/O."""

    @property
    def limits(self) -> Limits:
        """What the receiver takes."""
        ...

    @property
    def signed(self) -> bool:
        """Whether receivers of this format can verify a signature."""
        ...

    def render(self, message: Message, form: Form = Form.FULL) -> Rendered | None:
        """Return the body for a message; None: nothing to say to this receiver."""
        ...

    def read(self, response: Response) -> Acknowledgement:
        """Return what the receiver's answer means."""
        ...


LIVE = "The progress of a generation is one message that is edited; needs `order: strict`."
"""What an editor's option `live` is, for the schema of the configuration."""


@runtime_checkable
class Editor(Protocol):
    """A format whose receivers can change a message that they have taken.

    `live`: the progress of a generation is one message, which is edited.
    """

    @property
    def live(self) -> bool:
        """Whether that is wanted."""
        ...

    def edit(
        self, message: Message, receipt: str, form: Form = Form.FULL
    ) -> Rendered | None:
        """Return what puts a message in the place of the one that a receipt names.

        None: the receipt names nothing that this format could edit.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Whether a receiver wants our events, and how many a second; `rate` None: any number."""

    granted: bool
    rate: float | None = None
    why: str = ""


@runtime_checkable
class Greeter(Protocol):
    """A format whose receivers are asked for their consent before the first delivery."""

    def greet(self, origin: str, rate: float | None) -> Rendered | None:
        """Return the question, None: nothing needs to be asked (it is switched off)."""
        ...

    def consent(self, response: Response, origin: str) -> Consent:
        """Return what the answer grants."""
        ...


class Catalog(Protocol):
    """Finds plugins by the name they have in the YAML; a plugin's fields are its options."""

    def names(self, kind: str) -> Sequence[str]:
        """Return the names of a kind (`provider`, `format`), in order."""
        ...

    def load(self, kind: str, name: str) -> type:
        """Return the plugin's frozen dataclass; raises KeyError for an unknown name."""
        ...


class Written(Record, frozen=True, kw_only=True):
    """What one commit did; `recorded` stands in the order of the changes given.

    `woken` are webhooks with deliveries that came due by this commit and nobody has claimed.
    `fenced` counts settlements that were refused because the delivery is no longer ours.
    """

    recorded: tuple[Recorded, ...] = ()
    woken: frozenset[int] = frozenset()
    fenced: int = 0


class Room(Record, frozen=True, kw_only=True):
    """How many deliveries of a webhook its sender can take, and for how long."""

    webhook: int
    slots: int
    lease: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Enlisted:
    """What a registration did: watches to run now, and generations whose watch is over.

    `begun` are the generations that nobody had watched before.
    """

    started: tuple[Watch, ...] = ()
    ended: tuple[Generation, ...] = ()
    woken: frozenset[int] = frozenset()
    begun: frozenset[Generation] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """How much there is."""

    watches: int
    pending: int
    events: int


class DeliveryLists(Protocol):
    """Tells people what is kept of deliveries. Every method is one short transaction."""

    async def list_deliveries(
        self, wanted: DeliveryFilter, *, before: int | None = None, limit: int
    ) -> DeliveryPage:
        """Return at most `limit` deliveries whose id is below `before`, newest first."""
        ...

    async def history(self, delivery: int) -> History | None:
        """Return a delivery with its message and every attempt; None: there is no such one."""
        ...


class Lists(DeliveryLists, Protocol):
    """Tells people what is kept. Every method is one short transaction that writes nothing.

    Raises StoreUnavailable as the Store does, which this is a part of.
    """

    async def list_watches(
        self, wanted: WatchFilter, *, before: int | None = None, limit: int
    ) -> WatchPage:
        """Return at most `limit` watches whose id is below `before`, newest first."""
        ...

    async def listed(self, generations: Sequence[Generation]) -> Sequence[ListedWatch]:
        """Return the watches of generations, running or over, in any order."""
        ...

    async def timeline(self, generation: Generation) -> Timeline | None:
        """Return a watch with its events and their deliveries; None: there is no such watch."""
        ...

    async def list_webhooks(self, *, after: int = 0, limit: int) -> Sequence[ListedWebhook]:
        """Return at most `limit` webhooks with ids above `after`, in their order."""
        ...

    async def replicas(self) -> Sequence[Replica]:
        """Return every replica that is remembered, the dead ones too."""
        ...


class Replays(Protocol):
    """Sends again what is over. Every method is one durable transaction, harmless to repeat.

    A replayed delivery keeps its `webhook-id`, its attempts go on counting, its schedule begins
    anew, and it stands outside the order of its generation.
    """

    async def retry(self, delivery: int) -> int | None:
        """Make a delivery due now, whatever it was; return its webhook, None: no such delivery."""
        ...

    async def preview_replay(self, wanted: ReplayFilter) -> Preview:
        """Return what a replay would do; writes nothing."""
        ...

    async def begin_replay(self, wanted: ReplayFilter) -> Replay:
        """Remember a replay; `advance_replay` does the work."""
        ...

    async def advance_replay(self) -> Replayed | None:
        """Do the next 500 deliveries of the oldest replay that is not over; None: there is none.

        Replicas take turns: what another one is doing at this moment counts as none.
        """
        ...

    async def replays(self, *, limit: int) -> Sequence[Replay]:
        """Return the latest replays, newest first."""
        ...

    async def resume_webhook(
        self, webhook: int, *, since: datetime | None = None, discard: bool = False
    ) -> int:
        """Open a webhook that was paused or switched off, its health as new; return what waits.

        What waits and is older than `since`, or with `discard` all of it, is cancelled. That is
        done in steps of 500 rows before the webhook is opened.
        """
        ...


class Experience(Protocol):
    """Keeps what looks have taught. Every method is one durable transaction."""

    async def pace(self, source: str) -> Heirloom:
        """Return the learned tables of a source; those of dead replicas are ours from now on."""
        ...

    async def save_pace(self, source: str, tables: Sequence[SavedTable]) -> None:
        """Set what this replica has learnt of some models' states; its other tables stay."""
        ...

    async def discovery(self, source: str) -> Discovery | None:
        """Return how far the rounds through a source's list have come; None: there was none."""
        ...

    async def set_discovery(self, discovery: Discovery) -> None:
        """Set how far they have come; `updated_at` is the store's own."""
        ...


class Store(Lists, Replays, Experience, Protocol):
    """Keeps promises. Every method is one durable transaction, repeatable after an unknown outcome.

    Raises StoreUnavailable when nothing was written and the same call may succeed later.
    """

    async def webhooks(self, keys: Sequence[str]) -> Mapping[str, WebhookState]:
        """Make the webhooks known by their keys (`name:studio`) and return their state."""
        ...

    async def set_webhook(self, state: WebhookState) -> None:
        """Set a webhook's condition and gate (a person asked for it)."""
        ...

    async def adopt(self, callbacks: Sequence[Callback]) -> Mapping[str, WebhookState]:
        """Make webhooks known that callers bring along; return their states by their keys."""
        ...

    async def webhooks_by_id(self, webhooks: Sequence[int]) -> Sequence[ListedWebhook]:
        """Return webhooks by their ids, in any order; those that there are."""
        ...

    async def register(self, wishes: Sequence[WatchWish]) -> Enlisted:
        """Begin watches, or change those that are.

        Their webhooks are united, `until` is raised, deadline and metadata are replaced; a webhook
        that is added gets the latest event at once.

        A wish that changes nothing writes nothing. An ended watch of the same generation is
        begun again only where `until` or the webhooks grow.
        """
        ...

    async def configure(self, wishes: Sequence[WatchWish], digest: str) -> Enlisted:
        """Register the watches of the file and end those of an earlier file that it lacks.

        The same digest as last time: nothing is written.
        """
        ...

    async def unwatch(self, generations: Sequence[Generation]) -> Enlisted:
        """End watches; pending deliveries still go out."""
        ...

    async def claim_watches(self, limit: int) -> Sequence[Watch]:
        """Return up to `limit` watches that this replica owns from now on and did not before."""
        ...

    async def watch(self, generation: Generation) -> Watch | None:
        """Return a running watch as it stands, owned by us; None: it is over or not ours."""
        ...

    async def write(
        self, changes: Sequence[Change], settlements: Sequence[Settlement]
    ) -> Written:
        """Commit changes first, then settlements, in one transaction; at most 500 rows each."""
        ...

    async def claim_deliveries(self, rooms: Sequence[Room]) -> Sequence[Delivery]:
        """Claim due deliveries, oldest due first, and count the attempt.

        Never past one of the same generation and webhook that is still pending.
        """
        ...

    async def receipt(self, watch: int, webhook: int) -> Receipt | None:
        """Return what names the message that tells of a watch's progress; None: there is none."""
        ...

    async def next_due(self) -> Mapping[int, timedelta]:
        """Return per webhook how long until its earliest unclaimed pending delivery is due."""
        ...

    async def prune(
        self, *, attempts: timedelta, bodies: timedelta, deliveries: timedelta
    ) -> int:
        """Delete what is older, at most 1,000 rows; return how many went."""
        ...

    async def census(self) -> Census:
        """Count running watches, pending deliveries and events: of a large store, not often."""
        ...

    async def pending(self) -> int:
        """Count pending deliveries alone."""
        ...

    async def alive(self) -> None:
        """Prove that a durable write is possible now."""
        ...

    async def close(self) -> None:
        """Checkpoint and let go of the database."""
        ...
